import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import {
  ConfigError,
  createLimiter,
  StoreError,
  storeFromEnv as storeOfRoot,
} from '../../src/index.ts'
import { storeFromEnv } from '../../src/node.ts'
import { redisFromUrl } from '../../src/stores/redis-protocol/redis-url.ts'
import { manualClock } from '../../src/testing/index.ts'
import { BUSY } from '../support/busy.ts'
import { freePort, listenLocally } from '../support/listen.ts'
import { passTime } from '../support/pass-time.ts'
import { spawnRedis } from '../support/redis-server.ts'
import { warningsOf } from '../support/warnings.ts'

const server = await spawnRedis()
const admin = new Redis(server.url)
await admin.call('ACL', 'SETUSER', 'edge', 'on', '>pass%word', '~*', '+@all')
afterAll(async () => {
  admin.disconnect()
  await server.stop()
})

const demand = () => ({ policy: '', client: crypto.randomUUID(), limit: 1, window: 500, cost: 1 })

describe('REDIS_URL', () => {
  test('names a store over TCP, with user, password and number of the database', async () => {
    const url = server.url.replace('//', '//edge:pass%25word@')
    const store = storeFromEnv({ REDIS_URL: `${url}/3` })
    const asked = demand()
    expect((await store.take([asked]))[0]?.granted).toBe(1)
    expect((await store.take([asked]))[0]?.granted).toBe(0)
    await admin.select(3)
    expect(await admin.get(`ratelimit:${asked.client}`)).toBe('1')
    await admin.select(0)
  })

  test('stands behind a pair of variables for HTTP', async () => {
    const env = { REDIS_URL: 'not looked at', KV_REST_API_URL: 'https://x.io' }
    expect(() => storeFromEnv(env)).toThrow(/^KV_REST_API_TOKEN: expected .+, got nothing/)
  })

  const leftovers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'a read-only token': { KV_REST_API_READ_ONLY_TOKEN: 'r' },
    'a read-only token of a store with a prefix': { SHOP_KV_REST_API_READ_ONLY_TOKEN: 'r' },
    'a read-only token and an address for TCP': {
      ...{ KV_REST_API_READ_ONLY_TOKEN: 'r', UPSTASH_REDIS_URL: 'redis://x' },
    },
    'a blank pair': { UPSTASH_REDIS_REST_URL: ' ', UPSTASH_REDIS_REST_TOKEN: '\t' },
  }
  for (const [kind, left] of Object.entries(leftovers)) {
    test(`counts where ${kind} is left over, which names no store`, async () => {
      const store = storeFromEnv({ ...left, REDIS_URL: server.url })
      expect((await store.take([demand()]))[0]?.granted).toBe(1)
      expect(() => storeFromEnv(left)).toThrow(ConfigError)
      expect(() => storeOfRoot({ ...left, REDIS_URL: server.url })).toThrow(ConfigError)
    })
  }

  test('stands before a UPSTASH_REDIS_URL that is an address for TCP too', async () => {
    const other = `redis://127.0.0.1:${await freePort()}`
    const store = storeFromEnv({ REDIS_URL: server.url, UPSTASH_REDIS_URL: other })
    expect((await store.take([demand()]))[0]?.granted).toBe(1)
    expect(() => storeFromEnv({ UPSTASH_REDIS_URL: other })).toThrow(
      /^UPSTASH_REDIS_URL: expected .+, got/,
    )
  })

  test('of a remote host without TLS is warned of, of others not', () => {
    expect(
      warningsOf(() => storeFromEnv({ REDIS_URL: 'redis://:secret@db.internal:6379' })),
    ).toEqual(['tidegate: REDIS_URL has no TLS: use rediss://, except in a private network'])
    expect(warningsOf(() => storeFromEnv({ REDIS_URL: 'redis://db.internal:6379/1' }))).toEqual([])
    expect(warningsOf(() => storeFromEnv({ REDIS_URL: 'rediss://db.internal:6379' }))).toEqual([])
    expect(warningsOf(() => storeFromEnv({ REDIS_URL: 'redis://localhost:6379' }))).toEqual([])
  })

  test('that is empty is one that is not set', () => {
    const unset = { UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '' }
    expect(warningsOf(() => storeFromEnv({ ...unset, REDIS_URL: '' }))).toEqual([
      expect.stringContaining('the environment names no store'),
    ])
    const remote = { ...unset, REDIS_URL: 'redis://other.internal' }
    expect(warningsOf(() => storeFromEnv(remote))).toEqual([
      expect.stringContaining('REDIS_URL has no TLS'),
    ])
  })

  for (const url of [
    ' ',
    '"redis://localhost"',
    'localhost:6379',
    'redis://',
    'https://x.io',
    'redis://localhost/abc',
    'redis://localhost?db=x',
    'redis://user:p%s@localhost',
    'redis://%ff:secret@localhost',
    'redis://user:12#secret@localhost',
    'redis://user:12?secret@localhost',
  ]) {
    test(`that is ${JSON.stringify(url)} is an error that names it`, () => {
      expect(() => storeFromEnv({ REDIS_URL: url })).toThrow(/^REDIS_URL: expected .+, got/)
    })
  }

  test('with a wrong password fails as unauthorized, and the text holds none', async () => {
    const store = storeFromEnv({ REDIS_URL: server.url.replace('//', '//edge:wrong-secret@') })
    const error = await store.take([demand()]).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StoreError)
    expect(String(error)).not.toContain('wrong-secret')
  })

  test('with a database that the server has not fails, and counts in no other one', async () => {
    const store = storeFromEnv({ REDIS_URL: `${server.url}/99` })
    const asked = demand()
    const error = await store.take([asked]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('out of range'),
    })
    expect(await admin.exists(`ratelimit:${asked.client}`)).toBe(0)
  })

  test('of a server that accepts and says nothing fails in time', async () => {
    const silent = createServer(() => {})
    const port = await listenLocally(silent)
    const clock = manualClock()
    const time = { clock, timer: clock.timer }
    const store = redisFromUrl('REDIS_URL', `redis://127.0.0.1:${port}`, time)
    await expect(passTime(clock, store.take([demand()]))).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining('no answer within 2000 ms'),
    })
    silent.close()
  })

  test('of a server that comes and goes is counted by it whenever it is there', async () => {
    const port = await freePort()
    const limiter = createLimiter({
      limit: 1000,
      window: '1m',
      client: () => ({ plain: 'a' }),
      store: () => storeFromEnv({ REDIS_URL: `redis://127.0.0.1:${port}` }),
      onStoreEvent: () => {},
    })
    const source = async () => (await limiter.check(new Request('https://example.com/'))).source
    expect(await source()).toBe('local')
    for (let life = 0; life < 2; life++) {
      const redis = await spawnRedis({ port })
      await expect.poll(source, BUSY).toBe('store')
      await redis.stop('SIGKILL')
      await expect.poll(source, BUSY).toBe('local')
    }
  })
})
