import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/index.ts'
import { compileCors } from '../../src/worker/cors.ts'
import type { FrontEnv } from '../../src/worker/front.ts'

/** The origin for which an answer of the gate says that its scripts may read it. */
function grantedTo(origin: string, cors: unknown): string | null {
  const request = new Request('https://gate.example/', { headers: { origin } })
  const { headers } = compileCors('CORS_ORIGINS', cors)(new Response(), request)
  return headers.get('access-control-allow-origin')
}

describe('blanks and empty parts around origins do not matter', () => {
  const lists: readonly unknown[] = [
    'https://a.example ',
    'https://a.example\n',
    '\thttps://a.example',
    'https://a.example,',
    ',, https://a.example ,,https://b.example,\r\n',
    ['https://a.example\n', ''],
  ]
  for (const list of lists) {
    test(JSON.stringify(list), () => {
      expect(grantedTo('https://a.example', list)).toBe('https://a.example')
      expect(grantedTo('https://c.example', list)).toBeNull()
    })
  }
  for (const all of ['*', ' * ', '*\n', '*,', ['*']]) {
    test(JSON.stringify(all), () => expect(grantedTo('https://c.example', all)).toBe('*'))
  }
})

test('the variable is a text: origins separated by commas', () => {
  const variables: FrontEnv = { CORS_ORIGINS: 'https://a.example, https://b.example' }
  expect(grantedTo('https://b.example', variables.CORS_ORIGINS)).toBe('https://b.example')
})

describe('an origin that browsers send is allowed', () => {
  const origins = [
    'https://app.example.com',
    'https://a.example:8443',
    'http://localhost:3000',
    'http://a.example:443',
    'https://xn--bcher-kva.example',
    'https://my_host.example.',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'chrome-extension://abcdefghijklmnop',
    'capacitor://localhost',
  ]
  for (const origin of origins) {
    test(origin, () => expect(grantedTo(origin, origin)).toBe(origin))
  }
})

describe('an origin that no browser sends is an error that names it and does not show it', () => {
  const never = [
    'https://*.example',
    'https://*',
    'https://a.example:443',
    'http://a.example:80',
    'https://a.example:08443',
    'https://a.example:99999',
    'https://a.example:',
    'https://bücher.example',
    'https://A.example',
    'HTTPS://a.example',
    'https://a.example/',
    'https://user:secret@a.example',
    'https://.example',
    'https://127.1',
    'https://0x7f000001',
    'http://[0:0:0:0:0:0:0:1]',
    'https://a.example https://b.example',
    'https://a.example;https://b.example',
    'a.example',
    'null',
    '*',
  ]
  for (const origin of never) {
    test(origin, () => {
      const list = ['https://a.example', origin]
      const compile = () => compileCors('CORS_ORIGINS', list)
      expect(compile).toThrow(ConfigError)
      expect(compile).toThrow(/^CORS_ORIGINS\[1\]: /)
      expect(compile).toThrow('"https://app.example.com"')
      expect(compile).not.toThrow('secret')
    })
  }
  for (const none of [' ', ',', '\n', [], [''], 1, {}, [1]]) {
    test(`nor is ${JSON.stringify(none)} a list of origins`, () => {
      expect(() => compileCors('CORS_ORIGINS', none)).toThrow(/^CORS_ORIGINS/)
    })
  }
})
