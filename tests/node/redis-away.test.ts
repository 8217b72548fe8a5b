import { Cluster, Redis } from 'ioredis'
import { Redis as Redis53 } from 'ioredis-5.3'
import { Redis as Redis510 } from 'ioredis-5.10'
import { Redis as IoValkey } from 'iovalkey'
import { createClient, createCluster } from 'redis'
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, type Demand, type Grant, type Store, StoreError } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import type { IoRedisClient } from '../../src/stores/redis-protocol/ioredis.ts'
import type { NodeRedisClient } from '../../src/stores/redis-protocol/node-redis.ts'
import { freePort } from '../support/listen.ts'
import { pause } from '../support/pause.ts'
import { spawnRedis } from '../support/redis-server.ts'
import { warningsOf } from '../support/warnings.ts'

const server = await spawnRedis()
const ends: (() => unknown)[] = [() => server.stop()]
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

function ioLike<Client extends { on(event: string, listener: () => void): unknown }>(
  client: Client & { disconnect(): void },
): Client {
  ends.push(() => client.disconnect())
  client.on('error', () => {})
  return client
}

function nodeRedis(url: string, options = {}) {
  const client = createClient({ url, ...options }).on('error', () => {})
  ends.push(() => client.destroy())
  client.connect().catch(() => {})
  return client
}

/** Clients as a stranger makes them, none of which has connected yet. */
const CLIENTS: Readonly<Record<string, (url: string) => IoRedisClient | NodeRedisClient>> = {
  'ioredis 5.3': (url) => ioLike(new Redis53(url)),
  'ioredis 5.10': (url) => ioLike(new Redis510(url)),
  'ioredis 6': (url) => ioLike(new Redis(url)),
  'ioredis 6, lazy': (url) => ioLike(new Redis(url, { lazyConnect: true })),
  'ioredis 6 that does not queue': (url) =>
    ioLike(new Redis(url, { lazyConnect: true, enableOfflineQueue: false })),
  iovalkey: (url) => ioLike(new IoValkey(url)),
  'iovalkey, lazy, that does not queue': (url) =>
    ioLike(new IoValkey(url, { lazyConnect: true, enableOfflineQueue: false })),
  'node-redis': (url) => nodeRedis(url),
}

const demand: Demand = { policy: '', client: 'a', limit: 100, window: 600_000, cost: 1 }

/** As a limiter takes: no longer than `ms`, whatever the client does. */
function takeWithin(store: Store, ms: number): Promise<readonly Grant[]> {
  const signal = AbortSignal.timeout(ms)
  const giveUp = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new StoreError('timeout', 'no answer')))
  })
  return Promise.race([store.take([demand], { signal }), giveUp])
}

describe('the first check of a client that has not connected yet is decided by the store, with', () => {
  for (const [name, connect] of Object.entries(CLIENTS)) {
    test(name, async () => {
      const store = redis(connect(server.url))
      const limiter = createLimiter({ limit: 9, window: '1m', client: () => name, store })
      const check = () => limiter.check(new Request('https://example.com'))
      const sources = (await Promise.all([check(), check()])).map(({ source }) => source)
      expect(sources).toEqual(['store', 'store'])
    })
  }
})

describe('what nobody waits for while Redis is away is not counted when it is back, with', () => {
  for (const [name, connect] of Object.entries(CLIENTS)) {
    test(name, async () => {
      const port = await freePort()
      const first = await spawnRedis({ port })
      const store = redis(connect(first.url))
      const take = (ms: number) => takeWithin(store, ms)
      await take(5000)
      await first.stop()
      for (let n = 0; n < 5; n++) {
        await expect(take(20)).rejects.toBeInstanceOf(StoreError)
      }
      const second = await spawnRedis({ port })
      ends.push(() => second.stop())
      // Commands of one connection run in order: those that waited come before this one.
      let grants: readonly Grant[] = []
      while (grants.length === 0) {
        grants = await take(5000).catch(() => [])
        await pause(10)
      }
      expect(grants).toMatchObject([{ granted: 1, used: 1 }])
    }, 20_000)
  }
})

describe('a client is warned of once if it sends a command again that may have arrived', () => {
  const NOWHERE = 'redis://127.0.0.1:9'
  const lazy = { lazyConnect: true }

  test('ioredis as it comes, and never again', () => {
    const option = expect.stringContaining('autoResendUnfulfilledCommands: false')
    const make = () => redis(ioLike(new Redis(NOWHERE, lazy)))
    // Tests before this one may have heard it.
    expect([[], [option]]).toContainEqual(warningsOf(make))
    expect(warningsOf(make)).toEqual([])
  })

  test('and not where it does not', () => {
    const never = { ...lazy, autoResendUnfulfilledCommands: false }
    const quiet = [
      () => redis(ioLike(new Redis(NOWHERE, never))),
      () => redis(ioLike(new IoValkey(NOWHERE, never))),
      () => redis(ioLike(new Cluster([], { ...lazy, retryDelayOnFailover: 0 }))),
      () => redis(createClient({ url: NOWHERE })),
      () => redis(createCluster({ rootNodes: [] })),
    ]
    for (const make of quiet) expect(warningsOf(make)).toEqual([])
  })
})
