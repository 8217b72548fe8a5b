import { describe, expect, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import {
  ConfigError,
  createLimiter,
  type LimiterOptions,
  memory,
  type PolicyOptions,
} from '../../src/index.ts'

const good = { limit: 5, window: '1m' } as const

/** Makes a limiter as somebody without types would. */
const make = (options: object) =>
  createLimiter({ store: memory(), ...options } as LimiterOptions<object>)

const COUNT = 'a whole number from 1 to 999999999999999'
const TIME = 'a duration such as "1m" or a number of milliseconds'
const NAME = '1 to 64 letters, digits, ".", "_" or "-"'
const PATH = 'a path such as "/users/:id" or "/api/*"'
const METHODS = 'a list of at least one method'
const CLIENT = 'ip(), header(name) or a function'
const UNKNOWN = 'one of share, refuse, pass'
const KEYS =
  'one of name, limit, window, plans, plan, client, cost, match, methods, unknown, lease, settle, fallback'

/** What an option got, and how the error shows it. */
type Bad = readonly (readonly [value: unknown, shown: string])[]

const BAD: Readonly<Record<string, { readonly want: string; readonly values: Bad }>> = {
  limit: {
    want: COUNT,
    values: [
      [undefined, 'nothing'],
      [null, 'null'],
      [0, '0'],
      [-1, '-1'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [1e15, '1000000000000000'],
      ['100', '"100"'],
      [true, 'true'],
      [[5], 'a list'],
      [100n, 'a bigint'],
    ],
  },
  window: {
    want: TIME,
    values: [
      [undefined, 'nothing'],
      [null, 'null'],
      [0, '0'],
      [-1, '-1'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      ['', '""'],
      ['1', '"1"'],
      ['1 m', '"1 m"'],
      ['1w', '"1w"'],
      ['5 minits', '"5 minits"'],
    ],
  },
  name: {
    want: NAME,
    values: [
      ['', '""'],
      ['a b', '"a b"'],
      ['a:b', '"a:b"'],
      ['a"b', '"a\\"b"'],
      ['a\r\nb', '"a\\r\\nb"'],
      ['größe', '"größe"'],
      ['x'.repeat(65), 'a string of 65 characters'],
      // Texts of these would pass for names.
      [5, '5'],
      [null, 'null'],
      [['a'], 'a list'],
    ],
  },
  client: {
    want: CLIENT,
    values: [
      ['ip', '"ip"'],
      [null, 'null'],
      [{ header: 'x-api-key' }, 'an object'],
    ],
  },
  unknown: {
    want: UNKNOWN,
    values: [
      ['deny', '"deny"'],
      [null, 'null'],
      [true, 'true'],
      ['toString', '"toString"'],
    ],
  },
  match: {
    want: PATH,
    values: [
      ['', '""'],
      ['api/*', '"api/*"'],
      ['/a b', '"/a b"'],
      ['/a?x', '"/a?x"'],
      ['/a#b', '"/a#b"'],
      ['//x', '"//x"'],
      ['/../x', '"/../x"'],
      ['/a*', '"/a*"'],
      ['/a/./b', '"/a/./b"'],
      ['https://x/y', 'a URL'],
      [null, 'null'],
      [/^\/api/, 'an object'],
    ],
  },
  methods: {
    want: METHODS,
    values: [
      [[], 'an empty list'],
      ['POST', '"POST"'],
      [null, 'null'],
      [new Set(['POST']), 'an object'],
    ],
  },
}

describe('a bad option is an error at construction that names it and says what is wanted', () => {
  for (const [option, { want, values }] of Object.entries(BAD)) {
    for (const [value, shown] of values) {
      test(`${option}: got ${shown}`, () => {
        const bad = { ...good, name: 'a', [option]: value }
        expect(() => make(bad)).toThrow(`${option}: expected ${want}, got ${shown}`)
        const list = [{ ...good, name: 'first' }, bad]
        expect(() => make({ policies: list })).toThrow(
          `policies[1].${option}: expected ${want}, got ${shown}`,
        )
      })
    }
  }

  const entries: readonly (readonly [object, ConfigError])[] = [
    [{ match: [] }, new ConfigError('match', 'a list of at least one path', 'an empty list')],
    [{ match: ['/a', 'b'] }, new ConfigError('match[1]', PATH, '"b"')],
    [{ match: ['/a', ['/b']] }, new ConfigError('match[1]', PATH, 'a list')],
    [
      { methods: ['post'] },
      new ConfigError('methods[0]', 'a method in capitals, such as "POST"', '"post"'),
    ],
    [
      { methods: ['GET', ''] },
      new ConfigError('methods[1]', 'a method in capitals, such as "POST"', '""'),
    ],
    [
      { methods: ['GET '] },
      new ConfigError('methods[0]', 'a method in capitals, such as "POST"', '"GET "'),
    ],
    [{ lease: 5 }, new ConfigError('lease', 'true, false or { ahead }', '5')],
    [
      { lease: { before: '1s' } },
      new ConfigError('lease.before', 'one of ahead', 'an unknown option'),
    ],
    [{ lease: { ahead: 0 } }, new ConfigError('lease.ahead', TIME, '0')],
    [{ lease: { ahead: '25d' } }, new ConfigError('lease.ahead', 'at most 24 days', '"25d"')],
    [{ methods: [5] }, new ConfigError('methods[0]', 'a method in capitals, such as "POST"', '5')],
  ]
  for (const [bad, error] of entries) {
    test(error.message, () => {
      expect(() => make({ ...good, ...bad })).toThrow(error)
    })
  }
})

test('a misspelt option of a single policy is an error that names it', () => {
  for (const misspelt of ['method', 'paths', 'max', 'Limit']) {
    expect(() => make({ ...good, [misspelt]: 1 })).toThrow(
      RegExp(`^${misspelt}: expected one of policies, .+, got an unknown option`),
    )
  }
})

describe('a list of policies', () => {
  const named = (name: string) => ({ ...good, name })
  const want = 'a list of at least one policy'
  const own = 'a name that no other policy has'
  const bad: readonly (readonly [string, unknown, ConfigError])[] = [
    ['that is missing', undefined, new ConfigError('policies', want, 'nothing')],
    ['that is null', null, new ConfigError('policies', want, 'null')],
    ['that is empty', [], new ConfigError('policies', want, 'an empty list')],
    ['that is an object', {}, new ConfigError('policies', want, 'an object')],
    ['that is a text', 'burst', new ConfigError('policies', want, '"burst"')],
    ['with an empty entry', [{}], new ConfigError('policies[0].limit', COUNT, 'nothing')],
    [
      'with two policies of one name',
      [named('a'), named('b'), named('a')],
      new ConfigError('policies[2].name', own, '"a"'),
    ],
    [
      'whose first policy has no name',
      [good, named('a')],
      new ConfigError('policies[0].name', own, 'nothing'),
    ],
    [
      'whose last policy has no name',
      [named('a'), good],
      new ConfigError('policies[1].name', own, 'nothing'),
    ],
    [
      'with a misspelt option',
      [named('a'), { ...named('b'), method: ['POST'] }],
      new ConfigError('policies[1].method', KEYS, 'an unknown option'),
    ],
    [
      'with an option that belongs beside it',
      [{ ...named('a'), store: memory() }],
      new ConfigError('policies[0].store', KEYS, 'an unknown option'),
    ],
  ]
  for (const [kind, policies, error] of bad) {
    test(`${kind} is an error`, () => {
      expect(() => make({ policies })).toThrow(error)
    })
  }

  for (const entry of [null, undefined, 'burst', 5, [good]]) {
    test(`with an entry that is ${JSON.stringify(entry)} is an error that names the entry`, () => {
      expect(() => make({ policies: [named('a'), entry] })).toThrow(/^policies\[1\]: expected /)
    })
  }

  test('of one may leave its name out', () => {
    expect(() => make({ policies: [good] })).not.toThrow()
  })

  test('takes names that differ in case alone', () => {
    expect(() => make({ policies: [named('a'), named('A')] })).not.toThrow()
  })
})

describe('the text of an error is never long', () => {
  const long = 'x'.repeat(10_000)
  const bad: Readonly<Record<string, object>> = {
    'a limit': { ...good, limit: long },
    'a window': { ...good, window: long },
    'a window of control characters': { ...good, window: '\0'.repeat(10_000) },
    'a name': { ...good, name: long },
    'a path': { ...good, match: long },
    'a path in a list': { ...good, match: [long] },
    'a method': { ...good, methods: [long] },
    'a client': { ...good, client: long },
    'a choice': { ...good, unknown: long },
    'a list': { policies: long },
    'a long list': { policies: Array(10_000).fill(long) },
    'an option of a policy': { policies: [{ ...good, [long]: 1 }] },
  }
  for (const [kind, options] of Object.entries(bad)) {
    test(`not for ${kind}`, () => {
      const error = errorOf(() => make(options))
      expect(error).toBeInstanceOf(ConfigError)
      expect(String(error).length).toBeLessThan(600)
    })
  }
})

describe('a policy counts', () => {
  /** Whether a policy with these options counts a request. */
  async function counts(
    options: Partial<PolicyOptions>,
    method: string,
    path = '/',
    headers: Readonly<Record<string, string>> = {},
  ) {
    const limiter = createLimiter({ ...good, store: memory(), ...options })
    const request = new Request(`https://example.com${path}`, { method, headers })
    return (await limiter.check(request)).source !== 'none'
  }

  test('every method and every path unless told otherwise', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE', 'PROPFIND']) {
      expect(await counts({}, method, '/any/path')).toBe(true)
    }
  })

  describe('a preflight', () => {
    const preflight = { Origin: 'https://page.example', 'Access-Control-Request-Method': 'PUT' }

    test('only where its methods name OPTIONS', async () => {
      const asked = async (options: Partial<PolicyOptions>) =>
        counts(options, 'OPTIONS', '/', preflight)
      expect(await asked({})).toBe(false)
      expect(await asked({ match: '/*' })).toBe(false)
      expect(await asked({ methods: ['PUT'] })).toBe(false)
      expect(await asked({ methods: ['PUT', 'OPTIONS'] })).toBe(true)
    })

    test('and nothing else that looks like one', async () => {
      const { Origin, ...asking } = preflight
      expect(await counts({}, 'OPTIONS', '/', { Origin })).toBe(true)
      expect(await counts({}, 'OPTIONS', '/', asking)).toBe(true)
      expect(await counts({}, 'GET', '/', preflight)).toBe(true)
    })

    test('also as each browser sends it, through a proxy that adds fields of its own', async () => {
      const fields = {
        ...preflight,
        Accept: '*/*',
        'Access-Control-Request-Headers': 'content-type,x-api-key',
        'Access-Control-Request-Private-Network': 'true',
        'Content-Length': '0',
        Referer: 'https://page.example/',
        'Sec-Fetch-Mode': 'cors',
        'X-Forwarded-For': '203.0.113.9',
      }
      expect(await counts({}, 'OPTIONS', '/?method=PUT&a_method=PUT', fields)).toBe(false)
      expect(await counts({}, 'OPTIONS', '/', { ...preflight, Origin: 'null' })).toBe(false)
    })

    const odd: Readonly<Record<string, string>> = {
      Origin: '',
      'Access-Control-Request-Method': '',
      'access-control-request-method': 'PUT, DELETE',
      'Content-Type': 'text/plain',
      Content_Type: 'application/json',
      'Content-Length': '1',
      Content_Length: '0',
      'Content-Encoding': 'gzip',
      'Transfer-Encoding': 'chunked',
      Cookie: 'session=1',
      Authorization: 'Bearer a',
      'X-HTTP-Method-Override': 'POST',
      'X-HTTP-Method': 'POST',
      'X-Method-Override': '',
      X_HTTP_Method_Override: 'POST',
      'X-HTTP_Method': 'POST',
    }
    for (const [name, value] of Object.entries(odd)) {
      test(`but not with what no browser sends with it: ${name}: ${value}`, async () => {
        const headers = new Headers(preflight)
        headers.set(name, value)
        expect(await counts({}, 'OPTIONS', '/', Object.fromEntries(headers))).toBe(true)
      })
    }

    test('nor with a method in the query', async () => {
      for (const query of ['?_method=POST', '?a=b&%5Fmethod=delete', '?_method=']) {
        expect(await counts({}, 'OPTIONS', `/${query}`, preflight), query).toBe(true)
      }
    })

    test('nor with a body, where the host tells a body from none', async () => {
      const limiter = createLimiter({ ...good, store: memory() })
      const body = new Uint8Array(3)
      const init = { method: 'OPTIONS', headers: preflight, body }
      const { source } = await limiter.check(new Request('https://example.com/', init))
      expect(source !== 'none').toBe(detectPlatform() === 'cloudflare')
    })
  })

  test('the methods it names', async () => {
    const methods = ['POST', 'PROPFIND']
    expect(await counts({ methods }, 'POST')).toBe(true)
    expect(await counts({ methods }, 'PROPFIND')).toBe(true)
    for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
      expect(await counts({ methods }, method)).toBe(false)
    }
  })

  test('HEAD with GET, since whatever answers one answers both, and not the other way', async () => {
    expect(await counts({ methods: ['GET'] }, 'HEAD')).toBe(true)
    expect(await counts({ methods: ['HEAD'] }, 'GET')).toBe(false)
  })

  test('the paths of any pattern in its list', async () => {
    const match = ['/login', '/api/*']
    expect(await counts({ match }, 'GET', '/login')).toBe(true)
    expect(await counts({ match }, 'GET', '/api/users')).toBe(true)
    expect(await counts({ match }, 'GET', '/about')).toBe(false)
  })

  test('requests for which its function says so', async () => {
    const match = ({ url }: Request) => new URL(url).searchParams.has('expensive')
    expect(await counts({ match }, 'GET', '/?expensive')).toBe(true)
    expect(await counts({ match }, 'GET', '/')).toBe(false)
  })

  test('requests for which its function says so later, and no other', async () => {
    const match = async ({ url }: Request) => new URL(url).searchParams.has('expensive')
    expect(await counts({ match }, 'GET', '/?expensive')).toBe(true)
    expect(await counts({ match }, 'GET', '/')).toBe(false)
  })

  test('no request of which its function says so without a boolean', async () => {
    for (const none of [undefined, null, 0, '', Promise.resolve(undefined)]) {
      expect(await counts({ match: (() => none) as never }, 'GET')).toBe(false)
    }
    for (const some of [1, '1', [], Promise.resolve('1')]) {
      expect(await counts({ match: (() => some) as never }, 'GET')).toBe(true)
    }
  })

  test('nothing where its function fails: check throws what the function throws', async () => {
    const match = async () => {
      throw new RangeError('no such tenant')
    }
    await expect(counts({ match }, 'GET')).rejects.toThrow('no such tenant')
  })

  describe('the method that a request claims in the place of its own, since frameworks obey it', () => {
    const methods = ['DELETE']

    const names = [
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      // CGI and WSGI read these as the ones above.
      'X_HTTP_Method_Override',
      'X-HTTP_Method-Override',
      'X_HTTP_METHOD',
      'x_method-override',
    ]
    for (const name of names) {
      test(`in ${name}`, async () => {
        expect(await counts({ methods }, 'POST', '/', { [name]: 'DELETE' })).toBe(true)
        const isPlain = !name.includes('_')
        expect(await counts({ methods }, 'GET', '/', { [name]: 'delete' })).toBe(isPlain)
        expect(await counts({ methods }, 'POST', '/', { [name]: 'DELETE, PUT' })).toBe(true)
        expect(await counts({ methods }, 'POST', '/', { [name]: 'PUT' })).toBe(false)
        expect(await counts({ methods }, 'POST', '/', { [name]: '' })).toBe(false)
      })
    }

    test('in the parameter _method of the query', async () => {
      const queries = [
        '?_method=DELETE',
        '?_method%00z=DELETE',
        '?a=b&_method=delete',
        '?%5Fmetho%64=D%45LETE',
      ]
      for (const query of [...queries, '?_method=&_method=DELETE', '?+%20.method=DELETE']) {
        expect(await counts({ methods }, 'POST', `/${query}`), query).toBe(true)
        expect(await counts({ methods }, 'GET', `/${query}`), query).toBe(true)
      }
      for (const query of [
        '?_method=PUT',
        '?method=DELETE',
        '?_methods=DELETE',
        '?a=_method',
        '',
      ]) {
        expect(await counts({ methods }, 'POST', `/${query}`), query).toBe(false)
      }
    })

    test('at the end of a list that is longer than anybody needs', async () => {
      const claim = `${'PUT, '.repeat(100)}DELETE`
      expect(await counts({ methods }, 'POST', '/', { 'X-HTTP-Method': claim })).toBe(true)
      expect(await counts({ methods }, 'POST', `/?_method=${'x'.repeat(100)}`)).toBe(true)
    })

    test('but its own all the same, or a claim would be a way round the limit', async () => {
      expect(await counts({ methods }, 'DELETE', '/', { 'X-HTTP-Method': 'GET' })).toBe(true)
      expect(await counts({ methods }, 'DELETE', '/?_method=GET')).toBe(true)
    })

    test('and GET stands for a claimed HEAD too', async () => {
      const claim = { 'X-HTTP-Method-Override': 'HEAD' }
      expect(await counts({ methods: ['GET'] }, 'POST', '/', claim)).toBe(true)
    })
  })

  test('only where both method and path match', async () => {
    const options = { match: '/login', methods: ['POST'] }
    expect(await counts(options, 'POST', '/login')).toBe(true)
    expect(await counts(options, 'GET', '/login')).toBe(false)
    expect(await counts(options, 'POST', '/about')).toBe(false)
  })
})

/** What a call throws. */
function errorOf(call: () => unknown): unknown {
  try {
    return void call()
  } catch (error) {
    return error
  }
}
