import { describe, expect, test } from 'vitest'
import { identify } from '../../src/client/client.ts'
import { ConfigError, createLimiter, memory } from '../../src/index.ts'
import { policiesFromEnv } from '../../src/policy/policies-from-env.ts'

const LIST = [
  { name: 'burst', limit: 10, window: '1s' },
  { name: 'writes', limit: 100, window: 3_600_000, match: ['/api/*'], methods: ['POST'] },
]

describe('the variable POLICIES', () => {
  test('is a list', () => {
    expect(policiesFromEnv(LIST)).toEqual(LIST)
  })

  test('is the JSON text of a list, white space and all', () => {
    expect(policiesFromEnv(JSON.stringify(LIST))).toEqual(LIST)
    expect(policiesFromEnv(`\n${JSON.stringify(LIST, null, 2)}\n`)).toEqual(LIST)
  })

  test('makes a limiter', async () => {
    const limiter = createLimiter({ policies: policiesFromEnv(LIST), store: memory() })
    const decision = await limiter.check(new Request('https://example.com/'))
    expect(decision.policies.map(({ name }) => name)).toEqual(['burst'])
  })

  const want = 'a list of policies, or the JSON text of a list'
  const bad: readonly (readonly [unknown, string])[] = [
    [undefined, 'nothing'],
    [null, 'null'],
    ['null', '"null"'],
    ['"[]"', '"\\"[]\\""'],
    ['{"limit":1,"window":"1s"}', 'a string of 25 characters'],
    [{ limit: 1, window: '1s' }, 'an object'],
    [5, '5'],
  ]
  for (const [value, shown] of bad) {
    test(`that holds ${shown} is an error`, () => {
      expect(() => policiesFromEnv(value)).toThrow(new ConfigError('POLICIES', want, shown))
    })
  }
})

describe('a text that is no JSON is an error with the words of the parser', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['', 'got "" (SyntaxError: Unexpected end of JSON input)'],
    ['[', 'got "[" (SyntaxError: Unexpected end of JSON input)'],
    ["[{'limit': 1}]", "(SyntaxError: Expected property name or '}' in JSON at position 2"],
    [`[${' '.repeat(10_000)}`, 'got a string of 10001 characters (SyntaxError: '],
  ]
  for (const [text, words] of bad) {
    test(words, () => {
      expect(() => policiesFromEnv(text)).toThrow(words)
    })
  }

  test('and without what the parser quotes of it', () => {
    expect(() => policiesFromEnv('redis://hush')).toThrow(
      /^POLICIES: expected .+, got a URL \(SyntaxError: Unexpected token 'r'\)/,
    )
  })
})

describe('an entry that cannot work is an error that names it', () => {
  const [good] = LIST
  const other = { name: 'other', limit: 1, window: '1s' }
  const bad: readonly (readonly [RegExp, unknown])[] = [
    [/^POLICIES: expected a list of at least one policy, got an empty list/, []],
    [/^POLICIES\[0\]: expected .+, got 5/, [5]],
    [/^POLICIES\[1\]: expected .+, got null/, [good, null]],
    [/^POLICIES\[1\]: expected .+, got "burst"/, [good, 'burst']],
    [/^POLICIES\[1\]\.limit: expected .+, got "1"/, [good, { ...other, limit: '1' }]],
    [
      /^POLICIES\[1\]\.window: expected .+, got "5 minits"/,
      [good, { ...other, window: '5 minits' }],
    ],
    [/^POLICIES\[1\]\.name: expected .+, got "burst"/, [good, good]],
    [/^POLICIES\[1\]\.name: expected .+, got 5/, [good, { ...other, name: 5 }]],
    [/^POLICIES\[1\]\.name: expected .+, got nothing/, [good, { limit: 1, window: '1s' }]],
    [/^POLICIES\[1\]\.match: expected .+, got "api\/\*"/, [good, { ...other, match: 'api/*' }]],
    [
      /^POLICIES\[1\]\.methods\[0\]: expected .+, got "post"/,
      [good, { ...other, methods: ['post'] }],
    ],
    [/^POLICIES\[1\]\.max: expected .+, got an unknown option/, [good, { ...other, max: 1 }]],
    [
      /^POLICIES\[1\]\.__proto__: expected .+, got an unknown option/,
      `[{"name":"a","limit":1,"window":"1ms"},{"__proto__":{}}]`,
    ],
  ]
  for (const [message, policies] of bad) {
    test(`${message}`, () => {
      expect(() => policiesFromEnv(policies)).toThrow(message)
      const text = typeof policies === 'string' ? policies : JSON.stringify(policies)
      expect(() => policiesFromEnv(text)).toThrow(message)
    })
  }
})

describe('the client of an entry', () => {
  const withClient = (client: unknown) => [{ limit: 1, window: '1s', client }]

  test('is "ip" for the address, which is what counts without one', () => {
    const [policy] = policiesFromEnv(withClient('ip'))
    expect(policy?.client).toBeUndefined()
  })

  test('is the same function for entries that name the same', () => {
    const policy = { limit: 1, window: '1s' }
    const [a, b, c, d] = policiesFromEnv([
      { ...policy, name: 'a', client: { header: 'x-api-key' } },
      { ...policy, name: 'b', client: { header: 'X-Api-Key' } },
      { ...policy, name: 'c', client: 'ip' },
      { ...policy, name: 'd' },
    ])
    expect(a?.client).toBe(b?.client)
    expect(c?.client).toBe(d?.client)
    expect(a?.client).not.toBe(c?.client)
  })

  test('is { "header": … } for the value of a header', async () => {
    const [policy] = policiesFromEnv(withClient({ header: 'x-api-key' }))
    const client = policy?.client ?? (() => undefined)
    const request = new Request('https://example.com/', { headers: { 'X-Api-Key': 'abc' } })
    const asker = await identify(client, request, {})
    expect(asker?.name).toBe('ba7816bf8f01cfea414140de5dae2223')
  })

  test('may be left out', () => {
    expect(policiesFromEnv([{ limit: 1, window: '1s' }])).toEqual([{ limit: 1, window: '1s' }])
  })

  const bad: readonly (readonly [unknown, string])[] = [
    ['IP', '"IP"'],
    ['header', '"header"'],
    ['', '""'],
    [null, 'null'],
    [5, '5'],
    [['ip'], 'a list'],
    [{}, 'an object'],
    [{ header: 5 }, 'an object'],
    [{ header: 'x-api-key', plain: true }, 'an object'],
    [{ cookie: 'session' }, 'an object'],
  ]
  for (const [client, shown] of bad) {
    test(`is no ${JSON.stringify(client)}`, () => {
      expect(() => policiesFromEnv(withClient(client))).toThrow(
        new ConfigError('POLICIES[0].client', '"ip" or { "header": "x-api-key" }', shown),
      )
    })
  }

  for (const name of ['', 'x api key', 'x-api-key:']) {
    test(`is no header ${JSON.stringify(name)}, and the error names the entry`, () => {
      expect(() => policiesFromEnv(withClient({ header: name }))).toThrow(
        /^POLICIES\[0\]\.client.*: expected the name of a header/,
      )
    })
  }
})
