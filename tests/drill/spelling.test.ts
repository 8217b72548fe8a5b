import { describe, expect, test } from 'vitest'
import { respellingsOf } from '../../src/drill/respell.ts'
import { PATH, type Plan } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

/** What a router reads a path as: unescaped, without case, dots, empty segments and parameters. */
const routed = (url = '') =>
  decodeURIComponent(new URL(`http://host${url}`).pathname)
    .replace(/;[^/]*/g, '')
    .replace(/\/+(?=\/|$)/g, '')
    .toLowerCase()

/** A router that has the one path, however it is spelled. */
const answerOfRouter: Plan['answer'] = ({ url }, response) => {
  if (routed(url) === PATH) return false
  response.writeHead(404).end()
  return true
}

describe('a limiter that counts a spelling of the path apart', () => {
  const spellings: Readonly<Record<string, (path: string) => boolean>> = {
    '//': (path) => /.\/\//.test(path) && !path.endsWith('/'),
    'trailing slash': (path) => path.endsWith('/'),
    '%2e': (path) => /%2e/i.test(path),
    'escaped letter': (path) => /%(?!2[ef])/i.test(path),
    case: (path) => /[A-Z]/.test(path),
    ';x': (path) => path.includes(';'),
    '%2f': (path) => /%2f/i.test(path),
    backslash: (path) => path.includes('\\'),
    query: (path) => path.includes('?'),
  }
  for (const [name, isSo] of Object.entries(spellings)) {
    test(`is found: ${name}`, async () => {
      const { bad, of } = await drilled({ keyPart: ({ url = '' }) => (isSo(url) ? url : '') })
      expect(bad).toEqual(['spelling: failure'])
      expect(of('spelling')?.says).toMatch(RegExp(`: ${name}(, ${name} first)? \\(200\\)\\.`))
    })
  }

  test('passes if it counts by the path that its router reads', async () => {
    const { bad } = await drilled({ keyPart: ({ url }) => routed(url) })
    expect(bad).toEqual([])
  })

  test('is sent as it is, without the normalisation of URLs', async () => {
    const { received } = await drilled()
    const urls = received.map(({ url }) => url)
    for (const url of [
      '//api/user/sync',
      '/API/user/sync',
      '/%61pi/user/sync',
      '/./api/user/sync',
      '/api/../api/user/sync',
      '/drill/../api/user/sync',
      '/api;x/user/sync',
      '/api/user%2fsync',
      '/api%2fuser/sync',
      '/api/user\\sync',
      '/api\\user/sync',
    ]) {
      expect(urls).toContain(url)
    }
  })

  test('is found with a query in the URL, which every request keeps', async () => {
    const { bad, received } = await drilled(
      { keyPart: ({ url = '' }) => (url.includes('//') ? url : '') },
      { query: '?team=a%20b' },
    )
    expect(bad).toEqual(['spelling: failure'])
    const urls = received.map(({ url }) => url)
    expect(urls.every((url) => url?.includes('?team=a%20b'))).toBe(true)
    expect(urls).toContain('/api/user//sync?team=a%20b')
    expect(urls).toContain('/api/user/sync?team=a%20b&drill=0')
  })
})

describe('a limiter that matches the path as it is written', () => {
  test('is found by the first segment if it compares a prefix', async () => {
    const { bad, of } = await drilled({
      isLimited: ({ url }) => url?.startsWith('/api/') ?? false,
      answer: answerOfRouter,
    })
    expect(bad).toEqual(['spelling: failure'])
    expect(of('spelling')?.says).toContain(
      ': // first, /./ first, /../ of another first, escaped letter first, case first, ;x first, %2f first, backslash first (200).',
    )
  })

  for (const [name, isOther] of Object.entries({
    '// first': (url) => url.startsWith('//'),
    '/./ first': (url) => url.startsWith('/./'),
    '/../ of itself first': (url) => url.startsWith('/api/../'),
    '/../ of another first': (url) => url.startsWith('/drill'),
    'escaped letter first': (url) => /^\/%61pi|^\/a%70i|^\/ap%69/.test(url),
    'case first': (url) => /^\/api\//i.test(url) && !url.startsWith('/api/'),
    ';x first': (url) => url.startsWith('/api;'),
    '%2f first': (url) => /^\/api(?:%2f)+/.test(url),
    'backslash first': (url) => url.startsWith('/api\\'),
  } satisfies Record<string, (url: string) => boolean>)) {
    test(`is found if it misses ${name}`, async () => {
      const { bad, of } = await drilled({
        isLimited: ({ url = '' }) => !isOther(url),
        answer: answerOfRouter,
      })
      expect(bad).toEqual(['spelling: failure'])
      expect(of('spelling')?.says).toContain(`: ${name} (200).`)
    })
  }

  test('is found if it compares the whole path', async () => {
    const { bad, of } = await drilled({
      isLimited: ({ url }) => url?.split('?')[0] === PATH,
      answer: answerOfRouter,
    })
    expect(bad).toEqual(['spelling: failure'])
    expect(of('spelling')?.says).toContain(
      ': //, trailing slash, %2e, escaped letter, case, ;x, %2f, backslash, // first',
    )
  })
})

describe('the spellings of a path', () => {
  test('differ from it and from one another, and stay the same path', () => {
    for (const path of ['/', '/sync', '/api/user/sync', '/api/', '/1/2', '/a%20b/c']) {
      for (const attempt of [0, 1, 2]) {
        const all = [...respellingsOf(path).values()].map((respell) => respell(path, attempt))
        expect(all).not.toContain(path)
        for (const respelled of all) expect(routed(respelled)).toBe(routed(path))
      }
      const first = [...respellingsOf(path).values()].map((respell) => respell(path, 0))
      expect(new Set(first).size).toBe(first.length)
    }
  })
})
