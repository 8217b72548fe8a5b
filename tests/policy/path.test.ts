import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { compilePath, parsePath } from '../../src/policy/path.ts'

/** Whether a policy with this pattern counts a request for this path, as a client spells it. */
const matches = (pattern: string, path: string) =>
  matchesUrl(pattern, new Request(`https://example.com${path}`).url)

const matchesUrl = (pattern: string, url: string) =>
  parsePath(url).some((reading) => compilePath('match', pattern).test(reading))

interface Paths {
  readonly counted: readonly string[]
  readonly not: readonly string[]
}

function table(patterns: Readonly<Record<string, Paths>>): void {
  for (const [pattern, { counted, not }] of Object.entries(patterns)) {
    for (const path of counted) {
      test(`${pattern} counts ${path}`, () => {
        expect(matches(pattern, path)).toBe(true)
      })
    }
    for (const path of not) {
      test(`${pattern} does not count ${path}`, () => {
        expect(matches(pattern, path)).toBe(false)
      })
    }
  }
}

describe('a pattern', () => {
  table({
    '/': {
      counted: ['/', '', '//', '/?a=/x', '/#x', '/.', '/x/..', '/;v=1'],
      not: ['/x', '/index.html', '/%20'],
    },
    '/login': {
      counted: ['/login', '/login/', '/login?next=/', '/login#x'],
      not: ['/', '/logi', '/login2', '/login/x', '/x/login', '/x?/login', '/x#/login', '/log-in'],
    },
    '/login/': { counted: ['/login', '/login/'], not: ['/login/x'] },
    '/api/*': {
      counted: ['/api', '/api/', '/api/x', '/api/x/y/z', '/api?x'],
      not: ['/', '/apix', '/ap', '/v1/api', '/v1/api/x', '/api-x/y', '/apix/y', '/?/api/x'],
    },
    '/*': { counted: ['/', '/x', '/x/y', '/%zz', '/%ff'], not: [] },
    '/users/:id': {
      counted: ['/users/1', '/users/1/', '/users/ab%20c', '/users/:id', '/users/*'],
      not: ['/users', '/users/', '/users/1/posts', '/user/1'],
    },
    '/users/:id/posts/*': {
      counted: ['/users/1/posts', '/users/1/posts/2/3'],
      not: ['/users/1', '/users/posts', '/users/1/2/posts'],
    },
    '/a/*/c': { counted: ['/a/b/c', '/a/*/c'], not: ['/a/c', '/a/b/b/c', '/a/b/c/d', '/a/b'] },
    '/ärzte/köln': {
      counted: ['/ärzte/köln', '/%C3%A4rzte/k%C3%B6ln', '/%c3%a4rzte/k%c3%b6ln'],
      not: ['/arzte/koln', '/%e4rzte/k%f6ln'],
    },
    '/a%20b': { counted: ['/a b', '/a%20b'], not: ['/a', '/a+b', '/ab'] },
    '/.well-known/x': { counted: ['/.well-known/x', '/%2ewell-known/x'], not: ['/well-known/x'] },
    '/a.b': { counted: ['/a.b', '/A%2eB'], not: ['/axb', '/a/b'] },
    '/c++/(x|y)/z$': { counted: ['/c++/(x|y)/z$', '/C%2B%2B/(x%7Cy)/z$'], not: ['/ccc/x/z'] },
    '/API/Users': { counted: ['/api/users', '/API/USERS'], not: [] },
  })
})

describe('a spelling that some origin reads as the same path', () => {
  table({
    '/api/*': {
      counted: [
        ...['/API/x', '/Api', '/%61pi/x', '/%41PI/x', '/a%70%69/x', '/%61%50%69'],
        ...['//api//x', '///api', '/api//', '/api/x/', '/./api/x', '/x/../api', '/x/./../api/y'],
        ...['/%2e/api', '/%2e%2e/api', '/%2E%2e/api/x', '/x/%2e%2e/api', '/x/.%2e/api'],
        ...['/api%2Fx', '/api%2f', '/%2Fapi', '/%2f%2fapi', '/x/..%2fapi/y', '/x%2f..%2Fapi'],
        ...['/x/%2e%2e%2fapi', '/x%2F%2E%2E%2Fapi'],
        ...['\\api\\x', '/api\\x', '/\\api', '/api%5Cx', '/x\\..\\api', '/x%5c..%5capi'],
        ...[
          '/api;v=1/x',
          '/api;a;b=1',
          '/;/api',
          '/;x/api/y',
          '/api;/x',
          '/api%3Bv=1/x',
          '/api;%0a/x',
        ],
        ...['/x/..;/api', '/x/..;v=1/api/y', '/.;/api'],
        ...['/%61pi/%zz', '/api/%', '/api/%f', '/api/%ff%fe', '/%61pi/%u0061', '/api/%00'],
      ],
      not: ['/%zz/api', '/ap%C4%B1', '/x/%2fapi', '/apix;/api', '/%2fx/api'],
    },
  })
})

describe('a spelling that reaches a path by the order in which an origin reads it', () => {
  table({
    '/api/login': {
      counted: [
        // Parameters cut off before unescaping (Tomcat), after it, or one after the other.
        ...['/api/%3bx/..;/login', '/api/x%3b/..;/login', '/api/login;%3fx', '/api%3bx;y/login'],
        ...['/api%2f;x%2flogin', '/api;x%2fy/login', '/api;x%2flogin', '/api%3bx%2flogin'],
        // Steps up before a slash is unescaped, after it, over an empty segment or beside it.
        ...['/x/..;/api%2flogin', '/x%2f..;/api/login', '/api//..;/login', '/api/x//..;/login'],
        ...['/api/%2e%2e;/api/login', '/api/x%5c..;%2flogin', '/api/.;/login'],
        // Unescaped twice, or three times.
        ...[
          '/api/%256cogin',
          '/%2561pi/login',
          '/api%252flogin',
          '/api/x%252f%252e%252e%252flogin',
        ],
        ...['/api%253bx/login', '/api/%25256cogin', '/api/x%2f%252e.%5clogin'],
      ],
      not: ['/api/x;/login', '/api%2f', '/login%2fapi', '/api/%25login', '/api%3b/x/login'],
    },
  })
})

describe('a spelling that only some origins read', () => {
  table({
    '/api/login': {
      counted: [
        // Windows leaves out dots and blanks at the end of a name, `$` in many languages a newline.
        ...['/api/login.', '/api./login', '/api/login%20', '/api%20./login..', '/api/login%0a'],
        // The rest is cut off, where the path is parsed once more or ends with NUL.
        ...['/api/login%00', '/api/login%00.png', '/api/login%23/x', '/api/login%3fx=1/y'],
        // `%u` of IIS, PHP's front controller.
        ...['/api/%u006cogin', '/%U0061pi/login', '/api%u002flogin', '/api/%25u006cogin'],
        ...['/index.php/api/login', '/INDEX.php/api/login/', '/index.php/x/..;/api/login'],
      ],
      not: [
        ...['/api/login.json', '/api/log%20in', '/api/%20login', '/api/.login', '/apilogin%00'],
        ...['/index.php/login', '/x/index.php/api/login', '/index.phpx/api/login', '/%u0061pi/x'],
        ...['/api/login%c0', '/api/%c0%6cogin', '/api/%ffogin', '/api/%u6cogin'],
      ],
    },
    '/': { counted: ['/index.php', '/%00'], not: ['/index.php/x', '/index.html', '/x%00'] },
  })
})

describe('a spelling that one origin reads as another path, and another as this one', () => {
  table({
    // Routers that cut before they decode (Hono, Express) give these to the handler of /api/*.
    '/api/*': { counted: ['/api/..%2fx', '/api/%2e%2e%2fx', '/api/..%5cx', '/api/..;/x'], not: [] },
    '/search/:text': {
      counted: ['/search/a%2Fb', '/search/a%2fb%2fc', '/search/%2F', '/search/;a', '/search/a%5Cb'],
      not: ['/search/a/b', '/search', '/x/a%2Fb'],
    },
    // Both at once: parameters cut off, the escaped slash left as it is, or the other way round.
    '/v1/:id': { counted: ['/v1;x/a%2Fb', '/v1/..;a%2Fb', '/v1%2F;a'], not: [] },
  })
})

describe('a broken escape', () => {
  // What is no UTF-8 must not keep what stands beside it from being read.
  table({ '/café': { counted: ['/café;%ff', '/caf%C3%A9%3B%ff', '/café/'], not: ['/café%ff'] } })
})

describe('a long path', () => {
  const SIZE = 15_000
  const long = (piece: string) => `/${piece.repeat(SIZE / piece.length)}`
  const patterns = ['/', '/login', '/api/*', '/:a/b/:c']

  test('costs no exception, whatever is no UTF-8 in it', () => {
    const real = globalThis.decodeURIComponent
    let thrown = 0
    globalThis.decodeURIComponent = (text) => {
      try {
        return real(text)
      } catch (error) {
        thrown++
        throw error
      }
    }
    try {
      for (const piece of ['%ffa', '%e2%82a', '%c3%a9a', '%80', '%f4%90%80%80']) {
        expect(matches('/login', long(piece))).toBe(false)
      }
    } finally {
      globalThis.decodeURIComponent = real
    }
    expect(thrown).toBe(0)
  })

  test('is compared with patterns no more than once over, however much is hidden in it', () => {
    const pieces = ['/..;', '%2f..', ';%2f', '%252f;', '%5c%2e%2e', ';/', '%25', '/x;%2f..%5c%23']
    for (const piece of [...pieces, '%ffa', '%c3%a9', 'A/', '//', '. ', ';', '%c0%af', '%u002f']) {
      const read = parsePath(`https://example.com${long(piece)}`).join('')
      expect(read.length, piece).toBeLessThanOrEqual(SIZE + 1)
    }
  })

  test('that is too much to read is counted by every policy, and so is a short one', () => {
    for (const pattern of patterns) {
      expect(matches(pattern, long('/x;%2f..%5c%25')), pattern).toBe(true)
      expect(matches(pattern, long(';%2f')), pattern).toBe(true)
      expect(matches(pattern, `/${'/x;%2f..%5c%252f'.repeat(60)}`), pattern).toBe(true)
      expect(matches(pattern, '/x;%2f..%5c%253b%23/;x%2f..%5c%253b%23/;x'), pattern).toBe(true)
    }
  })

  test('of ordinary text is counted by the policies that it matches, and no others', () => {
    for (const piece of ['Ab', 'x/', '%20', '%C3%A9', '%2B', 'a.', '%ff']) {
      for (const pattern of patterns) {
        expect(matches(pattern, long(piece)), `${pattern} ${piece}`).toBe(false)
      }
      expect(matches('/api/*', `/api${long(piece)}`), piece).toBe(true)
    }
  })
})

describe('a path that holds an escaped URL or name', () => {
  const proxied = 'https%3A%2F%2Fshop.example%2Fp%3Bj%3D1%3Fq%3D100%2525%26amp%3Bx%23y'
  table({
    '/img/*': { counted: [`/img/${proxied}`, `/img/w=1;h=2/${proxied}`], not: [] },
    '/login': { counted: [], not: [`/img/${proxied}`, `/img/w=1;h=2/${proxied}`, '/c%23/login'] },
    '/:any': { counted: ['/@scope%2fname', '/C%23', '/100%25', '/a;b=1', '/a%5Cb'], not: [] },
  })
})

describe('the case of letters outside ASCII', () => {
  // Express ignores it, and a policy that does not could be walked round.
  table({ '/ärzte/*': { counted: ['/ÄRZTE', '/%C3%84rzte/x', '/%c3%84rzte/%ff'], not: [] } })
})

describe('any URL', () => {
  const text = fc.oneof(
    fc.webPath(),
    fc.string({ unit: fc.constantFrom(...'/\\.%;:*?#2fFeE5cC0aApPiI ä\0\t'), maxLength: 30 }),
    fc.string({ unit: 'binary' }),
  )
  const pattern = fc.constantFrom('/', '/*', '/api/*', '/:a/b', '/ä', '/a%2Fb')

  test('is matched or not, and never an error', () => {
    fc.assert(
      fc.property(pattern, text, (pattern, path) => {
        const { href } = new URL(`https://example.com/${path}`)
        expect(typeof matchesUrl(pattern, href)).toBe('boolean')
      }),
      { numRuns: 2000 },
    )
  })

  test('is counted by /*', () => {
    fc.assert(
      fc.property(text, (path) => {
        const { href } = new URL(`https://example.com/${path}`)
        expect(matchesUrl('/*', href)).toBe(true)
      }),
    )
  })

  test('is read the quick way, if it is plain, as it is read the long way', () => {
    // No URL that a scheme in capitals begins is taken for plain.
    const letters = fc.constantFrom(...'abz09_~-./%;\\@:+?#A ä')
    const tame = fc.string({ unit: fc.constantFrom(...'ab0_~-./'), maxLength: 20 })
    const any = fc.oneof(tame, fc.string({ unit: letters, maxLength: 20 }), text)
    const host = fc.constantFrom('example.com', 'example.com:8080', 'user:word@[::1]', 'a.b#', 'a?')
    const slash = fc.constantFrom('/', '', '\\', '//')
    const end = fc.constantFrom('', '?', '?a=/../%2f', '#', '#/x', '/?', '\t', ' ')
    fc.assert(
      fc.property(host, slash, any, end, (host, slash, path, end) => {
        const rest = `://${host}${slash}${path}${end}`
        if (!URL.canParse(`http${rest}`)) return
        expect(new Set(parsePath(`http${rest}`))).toEqual(new Set(parsePath(`HTTP${rest}`)))
        const { href } = new URL(`https${rest}`)
        const long = new Set(parsePath(href.replace('https', 'HTTPS')))
        expect(new Set(parsePath(href))).toEqual(long)
      }),
      { numRuns: 5000 },
    )
  })

  test('that is plain has one reading', () => {
    const plain = ['/', '/api/users/42', '/api/', '/login?next=//x', '/a.b/c-d_e~f#x', '']
    const readings = ['', '/api/users/42', '/api', '/login', '/a.b/c-d_e~f', '']
    expect(plain.map((path) => parsePath(`https://example.com${path}`))).toEqual(
      readings.map((reading) => [reading]),
    )
  })

  test('is counted by the pattern of its own segments, however a client respells it', () => {
    const segment = fc.string({ unit: fc.constantFrom(...'abcxyz019-_~'), minLength: 1 })
    const respelled = fc.array(segment, { minLength: 1, maxLength: 4 }).chain((segments) =>
      fc.record({
        segments: fc.constant(segments),
        spellings: fc.array(fc.nat(3), { minLength: 40, maxLength: 40 }),
        slashes: fc.array(fc.constantFrom('/', '//', '%2F', '\\', '%5c', '/./', ';a=1/'), {
          minLength: 4,
          maxLength: 4,
        }),
      }),
    )
    fc.assert(
      fc.property(respelled, ({ segments, spellings, slashes }) => {
        let at = 0
        const spell = (character: string) => {
          const how = spellings[at++ % spellings.length] ?? 0
          const given = how % 2 === 0 ? character : character.toUpperCase()
          return how < 2 ? given : `%${given.charCodeAt(0).toString(16)}`
        }
        const path = segments
          .map((segment, index) => [...segment].map(spell).join('') + slashes[index])
          .join('')
        expect(matches(`/${segments.join('/')}`, `/${path}`)).toBe(true)
      }),
    )
  })
})

describe('a pattern that no path can match is an error at construction', () => {
  const bad = [
    ...['', ' ', 'api', 'api/*', '*', ':id', '//', '//x', '/x//y', '/x//'],
    ...['/a b', '/a\tb', '/a\n', '/a?x', '/users/:id?', '/a#b', '/a\\b', '/a;v=1'],
    ...[
      '/a*',
      '/*a',
      '/a/**',
      '/a/:',
      '/a/:b*',
      '/api/:path*',
      '/a/:b-c',
      '/a:b',
      '/(.*)',
      '/a/[id]',
      '/a/{id}',
    ],
    ...['/.', '/..', '/../x', '/a/./b', '/a/../b', '/a/..', 'https://x/y', '^/api'],
  ]
  for (const pattern of bad) {
    test(JSON.stringify(pattern), () => {
      const message = /^match: expected a path such as "\/users\/:id" or "\/api\/\*"/
      expect(() => compilePath('match', pattern)).toThrow(message)
    })
  }

  const strangers = { undefined, null: null, 5: 5, 'a list': ['/api'], 'a RegExp': /^\/api/ }
  for (const [kind, pattern] of Object.entries(strangers)) {
    test(kind, () => {
      expect(() => compilePath('match', pattern)).toThrow(ConfigError)
    })
  }

  test('also where the step up is escaped', () => {
    for (const pattern of ['/%2e%2e/x', '/a/%2E', '/a/.%2e/b']) {
      expect(() => compilePath('match', pattern), pattern).toThrow(ConfigError)
    }
  })
})

test('a wildcard that is escaped is a literal', () => {
  expect(matches('/a/%2A', '/a/*')).toBe(true)
  expect(matches('/a/%2A', '/a/b')).toBe(false)
  expect(matches('/a/%3Aid', '/a/b')).toBe(false)
})
