import { describe, expect, inject, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import { ConfigError, createLimiter, storeFromEnv } from '../../src/index.ts'
import { warningsOf } from '../support/warnings.ts'

const url = 'https://db.upstash.io'
const token = 'token-that-may-write'

/** The error for a variable that is missing. */
const missing = (name: string) => RegExp(`^${name}: expected .+, got nothing$`)

describe('the environment', () => {
  const pairs = [
    ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'],
    ['UPSTASH_REDIS_URL', 'UPSTASH_REDIS_TOKEN'],
    ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
    ['SHOP_KV_REST_API_URL', 'SHOP_KV_REST_API_TOKEN'],
  ] as const
  for (const [urlName, tokenName] of pairs) {
    test(`with ${urlName} and ${tokenName} names a store that counts`, async () => {
      const gateway = inject('gateway')
      const store = storeFromEnv({ [urlName]: gateway.url, [tokenName]: gateway.token })
      const client = crypto.randomUUID()
      const demand = { policy: '', client, limit: 1, window: 500, cost: 1 }
      expect((await store.take([demand]))[0]?.granted).toBe(1)
      expect((await store.take([demand]))[0]?.granted).toBe(0)
    })

    test(`with ${urlName} alone misses ${tokenName}`, () => {
      expect(() => storeFromEnv({ [urlName]: url })).toThrow(missing(tokenName))
    })

    test(`with ${tokenName} alone misses ${urlName}`, () => {
      expect(() => storeFromEnv({ [tokenName]: token })).toThrow(missing(urlName))
    })
  }

  test('of Vercel with a read-only token alone misses the other', () => {
    const env = { KV_REST_API_URL: url, KV_REST_API_READ_ONLY_TOKEN: 'r' }
    expect(() => storeFromEnv(env)).toThrow(/^KV_REST_API_TOKEN: expected .+, got nothing/)
    expect(() => storeFromEnv({ KV_REST_API_READ_ONLY_TOKEN: 'r' })).toThrow(ConfigError)
  })

  test('with the read-only token in the place of the other is refused', () => {
    const env = {
      KV_REST_API_URL: url,
      KV_REST_API_TOKEN: token,
      KV_REST_API_READ_ONLY_TOKEN: token,
    }
    expect(() => storeFromEnv(env)).toThrow(
      /^KV_REST_API_TOKEN: expected .+, got the read-only token/,
    )
  })

  test('with the address for TCP takes another pair that is whole', () => {
    const tcp = { UPSTASH_REDIS_URL: 'rediss://default:x@db.upstash.io:6379' }
    expect(() => storeFromEnv(tcp)).toThrow(
      /^UPSTASH_REDIS_URL: expected .+, got a URL for TCP, which/,
    )
    const both = { ...tcp, KV_REST_API_URL: url, KV_REST_API_TOKEN: token }
    expect(warningsOf(() => storeFromEnv(both))).toEqual([])
  })

  test('with a pair of empty texts, as of Docker Compose, takes the next pair', async () => {
    const gateway = inject('gateway')
    const empty = {
      UPSTASH_REDIS_REST_URL: '',
      UPSTASH_REDIS_REST_TOKEN: '',
      UPSTASH_REDIS_URL: '',
      UPSTASH_REDIS_TOKEN: '',
      KV_REST_API_READ_ONLY_TOKEN: '',
    }
    const kv = { KV_REST_API_URL: gateway.url, KV_REST_API_TOKEN: gateway.token }
    const store = storeFromEnv({ ...empty, ...kv })
    const demand = { policy: '', client: crypto.randomUUID(), limit: 1, window: 500, cost: 1 }
    expect((await store.take([demand]))[0]?.granted).toBe(1)
    expect(warningsOf(() => storeFromEnv(empty))).toHaveLength(1)
  })

  /** As Deno hands them over that may read some variables by name and none else. */
  const allowing = (env: Readonly<Record<string, string>>) =>
    new Proxy(env, {
      get(target, name) {
        if (name in target) return Reflect.get(target, name)
        throw new Error(`NotCapable: Requires env access to "${String(name)}"`)
      },
      ownKeys() {
        throw new Error('NotCapable: Requires env access')
      },
    })
  for (const [half, other, value] of [
    ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN', url],
    ['UPSTASH_REDIS_REST_TOKEN', 'UPSTASH_REDIS_REST_URL', token],
    ['KV_REST_API_READ_ONLY_TOKEN', 'KV_REST_API_URL', token],
  ] as const) {
    test(`of Deno, which allows ${half} alone, misses ${other}`, () => {
      const said = () => storeFromEnv(allowing({ [half]: value }))
      expect(said).toThrow(ConfigError)
      expect(said).toThrow(missing(other))
    })
  }

  const broken: Readonly<Record<string, readonly [url: unknown, token: unknown]>> = {
    'blank texts': [' ', ' '],
    'a blank token': [url, ' '],
    'null in both': [null, null],
    'null for a URL': [null, token],
    'no URL': ['db.upstash.io', token],
    'a token in quotes': [url, `"${token}"`],
    'a binding': [{ get: () => null }, token],
    'a URL alone': [url, undefined],
  }
  for (const [kind, [badUrl, badToken]] of Object.entries(broken)) {
    const pair = { UPSTASH_REDIS_REST_URL: badUrl, UPSTASH_REDIS_REST_TOKEN: badToken }

    test(`with ${kind} in the first pair takes another that can work`, async () => {
      const gateway = inject('gateway')
      const kv = { SHOP_KV_REST_API_URL: gateway.url, SHOP_KV_REST_API_TOKEN: gateway.token }
      const store = storeFromEnv({ ...pair, ...kv })
      const demand = { policy: '', client: crypto.randomUUID(), limit: 1, window: 500, cost: 1 }
      expect((await store.take([demand]))[0]?.granted).toBe(1)
    })

    test(`with ${kind} in the first pair, and no other that can work, names it`, () => {
      const kv = { KV_REST_API_URL: url, KV_REST_API_TOKEN: ' ' }
      for (const env of [pair, { ...pair, ...kv }]) {
        expect(() => storeFromEnv(env)).toThrow(/^UPSTASH_REDIS_REST_(URL|TOKEN): expected .+, got/)
      }
    })
  }

  test('with the read-only token in the first pair takes another that can work', () => {
    const kv = {
      ...{ KV_REST_API_URL: url, KV_REST_API_TOKEN: 'r', KV_REST_API_READ_ONLY_TOKEN: 'r' },
      ...{ SHOP_KV_REST_API_URL: url, SHOP_KV_REST_API_TOKEN: token },
    }
    expect(warningsOf(() => storeFromEnv(kv))).toEqual([])
  })

  for (const half of ['URL', 'TOKEN', 'READ_ONLY_TOKEN']) {
    test(`with an empty text beside ${half} misses the other half`, () => {
      const other = half === 'URL' ? 'TOKEN' : 'URL'
      const env = { KV_REST_API_URL: '', KV_REST_API_TOKEN: '', [`KV_REST_API_${half}`]: url }
      expect(() => storeFromEnv(env)).toThrow(RegExp(`^KV_REST_API_${other}: expected .+, got ""$`))
    })
  }

  for (const value of ['', ' ', `"${url}"`, `${url} `, 'undefined']) {
    test(`with ${JSON.stringify(value)} for a URL is an error that names the variable`, () => {
      const env = { UPSTASH_REDIS_REST_URL: value, UPSTASH_REDIS_REST_TOKEN: token }
      expect(() => storeFromEnv(env)).toThrow(/^UPSTASH_REDIS_REST_URL: expected .+, got/)
    })
  }

  test('with the address for TCP and a token takes another pair that is whole', () => {
    const tcp = { UPSTASH_REDIS_URL: 'rediss://x@db.upstash.io', UPSTASH_REDIS_TOKEN: token }
    const said = () => storeFromEnv({ ...tcp, KV_REST_API_URL: url, KV_REST_API_TOKEN: token })
    expect(warningsOf(said)).toEqual([])
    expect(() => storeFromEnv(tcp)).toThrow(
      /^UPSTASH_REDIS_URL: expected .+, got a URL for TCP, which "tidegate\/node" reads/,
    )
  })

  const object = { idFromName: () => ({}), get: () => ({}) }
  const tcp = 'a URL for TCP, which "tidegate/node" reads from REDIS_URL'
  const misses: readonly (readonly [string, unknown, string?])[] = [
    ['REDIS_URL', 'redis://:hush@db.internal:6379', tcp],
    ['KV_URL', 'rediss://:hush@db.internal', tcp],
    ['redis_url', 'redis://db.internal', tcp],
    ['UPSTASH_URL', 'https://hush.upstash.io', 'rename it to UPSTASH_REDIS_REST_URL'],
    ['next_public_upstash_token', 'hush', 'rename it to UPSTASH_REDIS_REST_TOKEN'],
    [
      'NEXT_PUBLIC_UPSTASH_REDIS_REST_URL',
      'https://hush.io',
      'rename it to UPSTASH_REDIS_REST_URL',
    ],
    ['VALKEY_HOST', 'hush.internal'],
    ['VALKEY_URL', 'valkey://:hush@db.internal', `${tcp}, as redis:// or rediss://`],
    ['valkey_url', 'valkeys://:hush@db.internal:6379', `${tcp}, as redis:// or rediss://`],
    ['TIDEGATE_DO', object, 'a binding: see "tidegate/durable-object"'],
    ['MyTidegateObject', object, 'a binding: see "tidegate/durable-object"'],
    ['UPSTASH_REDIS_REST_URL', '', 'empty'],
    ['TIDEGATE', object, 'a binding: see "tidegate/durable-object"'],
    ['TIDEGATE', 'hush'],
  ]
  for (const [name, value, why] of misses) {
    test(`with ${name} alone says that it was not used: ${why ?? typeof value}`, () => {
      const said = warningsOf(() => storeFromEnv({ [name]: value, OTHER: 'redis', PATH: '/redis' }))
      expect(said).toHaveLength(1)
      expect(said[0]).toContain('each isolate counts in its own memory')
      expect(said[0]).toContain(`Not used: ${name}${why === undefined ? '' : ` (${why}`}`)
      expect(said[0]).not.toMatch(/hush|OTHER|PATH/)
    })
  }

  test('that only names Tidegate, as policies of your own do, is not said to be unused', () => {
    const env = { TIDEGATE_POLICIES: '100/1m', TIDEGATE_ASSETS: { fetch: () => {} } }
    const [said] = warningsOf(() => storeFromEnv(env))
    expect(said).not.toContain('Not used')
  })

  test('that a Worker did not hand over is asked for on Cloudflare, and there alone', async () => {
    const hint = 'pass the bindings: check(request, { env })'
    const said = async (env?: object) => {
      const limiter = createLimiter({ limit: 1, window: '1s', store: storeFromEnv })
      const request = new Request('https://example.com/')
      const lines = await warningsOf(async () => limiter.check(request, { env }))
      return lines.filter((line) => line.includes('counts in its own memory'))
    }
    const isOnCloudflare = detectPlatform() === 'cloudflare'
    for (const env of [undefined, {}]) {
      expect(await said(env)).toEqual([
        isOnCloudflare ? expect.stringContaining(hint) : expect.not.stringContaining(hint),
      ])
    }
    expect(await said({ NAME: 'x' })).toEqual([expect.not.stringContaining(hint)])
  })

  test('without any counts in memory and warns once', async () => {
    const said = warningsOf(() => storeFromEnv({}))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('UPSTASH_REDIS_REST_URL')
  })
})
