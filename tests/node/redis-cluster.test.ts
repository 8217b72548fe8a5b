import { Cluster as IoRedisCluster, type Redis } from 'ioredis'
import { Cluster as IoValkeyCluster } from 'iovalkey'
import { createCluster } from 'redis'
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, header, ip } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { startCluster } from '../support/redis-cluster.ts'
import { clientSubject } from '../support/subjects.ts'
import { warningsOf } from '../support/warnings.ts'

const cluster = await startCluster()
const ioredis = new IoRedisCluster([...cluster.nodes])
const iovalkey = new IoValkeyCluster([...cluster.nodes])
const rootNodes = cluster.nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
const nodeRedis = createCluster({ rootNodes })
await nodeRedis.connect()
afterAll(async () => {
  ioredis.disconnect()
  iovalkey.disconnect()
  await nodeRedis.close()
  await cluster.stop()
})

/** Keys are listed on every node, and each command finds its own. */
const connection = {
  async keys(pattern: string) {
    const nodes = ioredis.nodes('master')
    return (await Promise.all(nodes.map((node: Redis) => node.keys(pattern)))).flat()
  },
  del: (key: string) => ioredis.del(key),
  persist: (key: string) => ioredis.persist(key),
  pttl: (key: string) => ioredis.pttl(key),
  pexpire: (key: string, ms: number) => ioredis.pexpire(key, ms),
}

for (const [name, client] of Object.entries({ ioredis, iovalkey, 'node-redis': nodeRedis })) {
  describe(`store: redis with ${name} in a cluster`, () => {
    storeConformance({
      test,
      make: () => clientSubject(connection, (options) => redis(client, options)),
    })
  })

  test(`${name} in a cluster counts clients in slots of their own, and each in one`, async () => {
    const store = redis(client, { prefix: `slots-${name}` })
    const clients = Array.from({ length: 30 }, (_, index) => `client-${index}`)
    for (const client of [...clients, '', '}', '{}', 'a}b', '{a}{b}']) {
      const demand = { client, limit: 2, window: 60_000, cost: 1 }
      const grants = await store.take([
        { ...demand, policy: 'burst' },
        { ...demand, policy: 'hourly' },
      ])
      expect(grants.map(({ granted }) => granted)).toEqual([1, 1])
    }
    const counts = await Promise.all(
      ioredis
        .nodes('master')
        .map(async (node: Redis) => (await node.keys(`slots-${name}:*`)).length),
    )
    expect(counts.reduce((sum, count) => sum + count)).toBe(2 * 35)
    for (const count of counts) expect(count).toBeGreaterThan(0)
  })
}

test('policies that count different clients are refused at construction, by name', () => {
  const policies = [
    { name: 'each', limit: 5, window: '1s', client: ip() },
    { name: 'key', limit: 5, window: '1s', client: header('x-api-key') },
  ] as const
  expect(() => createLimiter({ policies, store: redis(ioredis) })).toThrow(
    /policies: got clients that differ .* want one `client` for all of them/,
  )
})

test('a client that would send again after a failover is warned of, and a prefix with braces refused', () => {
  const options = { retryDelayOnFailover: 0, lazyConnect: true }
  const calm = new IoRedisCluster([...cluster.nodes], options)
  expect(warningsOf(() => redis(calm))).toEqual([])
  const said = warningsOf(() => redis(ioredis))
  expect(said).toEqual([expect.stringContaining('retryDelayOnFailover: 0')])
  expect(() => redis(calm, { prefix: 'a{b' })).toThrow('prefix: got "a{b"')
})

test('a call for different clients is rejected whole', async () => {
  const demand = { policy: '', limit: 5, window: 500, cost: 1 }
  const taken = redis(ioredis).take([
    { ...demand, client: 'a' },
    { ...demand, client: 'b' },
  ])
  await expect(taken).rejects.toMatchObject({ code: 'rejected' })
})
