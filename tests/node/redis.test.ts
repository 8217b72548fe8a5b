import { Redis as IoRedis } from 'ioredis'
import { Redis as IoValkey } from 'iovalkey'
import { createClient } from 'redis'
import { afterAll, describe, expect, test } from 'vitest'
import { redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { spawnRedis } from '../support/redis-server.ts'
import { clientSubject } from '../support/subjects.ts'

const server = await spawnRedis()
const { url } = server
const ioredis = new IoRedis(url)
const iovalkey = new IoValkey(url)
const nodeRedis = createClient({ url })
await nodeRedis.connect()
afterAll(async () => {
  ioredis.disconnect()
  iovalkey.disconnect()
  await nodeRedis.close()
  await server.stop()
})

const NOWHERE = 'redis://127.0.0.1:9'
const once = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null }

/** Each client, connected, and one like it whose server cannot be reached. */
const CLIENTS = {
  ioredis: {
    client: ioredis,
    unreachable: () => new IoRedis(NOWHERE, once).on('error', () => {}),
  },
  iovalkey: {
    client: iovalkey,
    unreachable: () => new IoValkey(NOWHERE, once).on('error', () => {}),
  },
  'node-redis': {
    client: nodeRedis,
    unreachable: () => createClient({ url: NOWHERE, disableOfflineQueue: true }),
  },
}

for (const [name, { client, unreachable }] of Object.entries(CLIENTS)) {
  describe(`store: redis with ${name}`, () => {
    storeConformance({
      test,
      make: () => clientSubject(ioredis, (options) => redis(client, options)),
      unreachable: () => redis(unreachable()),
    })
  })

  test(`${name} makes one round trip per check once the server knows the script`, async () => {
    const store = redis(client)
    const demand = () => ({
      policy: 'trips',
      client: crypto.randomUUID(),
      limit: 1,
      window: 99,
      cost: 1,
    })
    await store.take([demand()])
    const calls = async () => {
      const stats = await ioredis.info('commandstats')
      return Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1])
    }
    const before = await calls()
    for (let check = 0; check < 20; check++) await store.take([demand()])
    expect(await calls()).toBe(before)
  })
}

describe('bad input is an error at construction', () => {
  for (const client of [undefined, null, 'redis://localhost', {}, { get: () => {} }]) {
    test(`${JSON.stringify(client)} for a client`, () => {
      expect(() => redis(client as never)).toThrow(/redis: expected a client of ioredis/)
    })
  }
})
