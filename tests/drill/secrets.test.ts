import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { readOptions } from '../../src/drill/options.ts'
import { redact } from '../../src/drill/secrets.ts'
import { drilled } from './support/drilled.ts'

const TOKEN = 'tOken/with+signs&1234'
const PASSWORD = 'pass-Word-5678'
const QUERY = 'query key/9012'
const HEADERS = [
  `authorization: Bearer ${TOKEN}`,
  `proxy-authorization: Basic ${Buffer.from(`admin-user:${PASSWORD}`).toString('base64')}`,
]
const SECRETS = [TOKEN, PASSWORD, 'admin-user', QUERY]

const percentAll = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** How a server may write a text. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  'percent-encoded': encodeURIComponent,
  'percent-encoded in lower case': (text) => encodeURIComponent(text).toLowerCase(),
  'percent-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'percent-encoded, each letter': percentAll,
  'as a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 in a longer text': (text) => Buffer.from(`id=7 ${text}!`).toString('base64'),
  'base64 after other letters': (text) => `x/ab${Buffer.from(text).toString('base64')}`,
  'base64, percent-encoded': (text) => encodeURIComponent(Buffer.from(text).toString('base64')),
}

/** Drills a server that echoes a text, and returns all that the report has. */
async function reported(echo: Parameters<typeof drilled>[0]): Promise<string> {
  const { text } = await drilled(echo, {
    options: { headers: HEADERS, maxWait: '1ms' },
    query: `?key=${encodeURIComponent(QUERY)}`,
  })
  return text
}

const redirectTo = (location: string) => ({
  answerFirst(_: unknown, response: ServerResponse) {
    response.writeHead(307, { location }).end()
    return true
  },
})

describe('a secret that a server echoes is not shown', () => {
  for (const [name, encode] of Object.entries(ENCODINGS)) {
    test(name, async () => {
      for (const secret of SECRETS) {
        const encoded = encode(secret)
        for (const echo of [
          redirectTo(`https://example.com/${encoded}/x`),
          redirectTo(`/${encoded}`),
          { refusalBody: () => [`text/${encoded}`, ''] as const },
          {
            refusalBody: () =>
              ['application/problem+json', JSON.stringify({ status: encoded })] as const,
          },
        ]) {
          const text = (await reported(echo)).toLowerCase()
          expect(text).not.toContain(encoded.toLowerCase())
          expect(text).not.toContain(secret.toLowerCase())
        }
      }
    })
  }

  test('as the host of a redirect, or in another case', async () => {
    const text = await reported(redirectTo(`https://${PASSWORD.toUpperCase()}.example.com/`))
    expect(text).toContain('redirects (307) to a URL with a secret.')
    expect(text.toLowerCase()).not.toContain(PASSWORD.toLowerCase())
  })

  test('as user and password of a redirect', async () => {
    const text = await reported(redirectTo(`https://admin-user:${PASSWORD}@example.com/`))
    expect(text).not.toContain(PASSWORD)
    expect(text).not.toContain('admin-user')
  })

  test('in part, if it is longer than what is shown', async () => {
    const long = `${'x9'.repeat(100)}end`
    for (const value of [long, Buffer.from(long).toString('base64url')]) {
      const { text } = await drilled(
        { refusalBody: () => [`text/${value}`, ''] },
        { options: { headers: [`x-token: ${long}`], maxWait: '1ms' } },
      )
      expect(text.toLowerCase()).not.toContain(value.slice(0, 12).toLowerCase())
    }
  })
})

describe('a secret of the URL is not shown', () => {
  const { secrets } = readOptions({
    url: 'http://x.example/hooks/T0kenOfThePath1234/run?lonely-key&b=value-of-b#c',
    limit: 1,
    window: '1m',
  })

  test('be it a token in the path, a value of the query, or a query without name', () => {
    const text = 'a T0kenOfThePath1234 b value-of-b c lonely-key d'
    expect(redact(text, secrets)).toBe('a … b … c … d')
  })

  test('but other segments of the path are', () => {
    expect(redact('POST http://x.example/hooks/run', secrets)).toBe(
      'POST http://x.example/hooks/run',
    )
  })
})

test('a text without a secret is shown as it is', () => {
  const text = 'RateLimit-Policy shows 10 per 60 s. 10 × 200, 100%, a+b, https://example.com/api/x'
  expect(redact(text, SECRETS)).toBe(text)
})
