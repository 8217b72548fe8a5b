import { Redis as Sdk } from '@upstash/redis/cloudflare'
import { describe, expect, test } from 'vitest'
import { createLimiter, guard, type Store, StoreError } from '../../src/index.ts'
import { durableObject } from '../../src/stores/durable-object.ts'
import { redis } from '../../src/stores/redis.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { vercelKv } from '../../src/stores/vercel-kv.ts'

const AT = { url: 'https://eu1-calm-1234.upstash.io', token: 'token' }

/** A client as ioredis and node-redis make it, by its options. */
const client = (options: object) => ({
  options,
  evalsha: async () => [],
  eval: async () => [],
  incrby: async () => 0,
})

describe('stores that count in the same place have the same identity', () => {
  const namespace = () => ({ idFromName: () => ({}), get: () => ({}) })
  const binding = namespace()
  const same: Record<string, () => Store> = {
    'upstash({ url, token })': () => upstash(AT),
    'a client of @upstash/redis': () => upstash(new Sdk(AT)),
    'a client of @vercel/kv': () => vercelKv(new Sdk(AT)),
    'a client of ioredis': () => redis(client({ host: 'redis.internal', port: 6379, db: 2 })),
    'a client of node-redis': () => redis(client({ url: 'redis://redis.internal/2' })),
    'a Durable Object': () => durableObject(binding),
  }
  for (const [name, make] of Object.entries(same)) {
    test(name, () => {
      expect(make().identity).toBeDefined()
      expect(make().identity).toBe(make().identity)
    })
  }

  test('others have another: by address, token, prefix, database, namespace, number of objects', () => {
    const identities = [
      upstash(AT),
      upstash({ ...AT, url: 'https://eu2-calm-1234.upstash.io' }),
      upstash({ ...AT, token: 'another' }),
      upstash(AT, { prefix: 'app' }),
      redis(client({ host: 'redis.internal', port: 6379, db: 2 })),
      redis(client({ host: 'redis.internal', port: 6379, db: 3 })),
      redis(client({ host: 'redis.internal', port: 6380, db: 2 })),
      redis(client({ host: 'redis.internal', port: 6379, db: 2, keyPrefix: 'app' })),
      redis(client({ host: 'redis.internal', port: 6379, db: 2 }), { prefix: 'app' }),
      durableObject(binding),
      durableObject(namespace()),
    ].map(({ identity }) => identity)
    expect(new Set(identities).size).toBe(identities.length)
  })

  test('a client that shows no server, a Cluster and shared objects have none', () => {
    expect(redis(client({})).identity).toBeUndefined()
    expect(redis({ ...client({ host: 'a' }), isCluster: true }).identity).toBeUndefined()
    expect(durableObject(binding, { shards: 4 }).identity).toBeUndefined()
  })
})

test('a limiter made for each request shares what the isolate knows: an outage does not lift the limit', async () => {
  const identity = 'https://redis.internal token ratelimit-1'
  let calls = 0
  const handle = async () => {
    const store: Store = {
      guard,
      identity,
      take() {
        calls++
        return Promise.reject(new StoreError('unreachable', 'away'))
      },
    }
    const options = { limit: 10, window: '1m', store, onStoreEvent() {} } as const
    const limiter = createLimiter({ ...options, client: () => ({ plain: 'a' }) })
    return (await limiter.check(new Request('https://example.com/'))).allowed
  }
  let allowed = 0
  for (let n = 0; n < 1000; n++) if (await handle()) allowed++
  expect(allowed).toBe(10)
  expect(calls).toBeLessThan(10)
})
