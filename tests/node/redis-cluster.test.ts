import { Cluster, type Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, header, ip, StoreError } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { answerLoser } from '../support/lost-answer.ts'
import { connectToCluster, startCluster } from '../support/redis-cluster.ts'
import { testSettlements } from '../support/settling-through-limiters.ts'
import { clientSubject } from '../support/subjects.ts'
import { warningsOf } from '../support/warnings.ts'

const loser = answerLoser()
const cluster = await startCluster(loser.standBefore)
afterAll(async () => {
  loser.stop()
  await cluster.stop()
})
const { clients, connection, close } = await connectToCluster(cluster.nodes)
afterAll(close)
const { ioredis } = clients

for (const [name, client] of Object.entries(clients)) {
  describe(`store: redis with ${name} in a cluster`, () => {
    storeConformance({
      test,
      make: () => clientSubject(connection, (options) => redis(client, options)),
    })
  })

  test(`a take that nobody waits for any more is not sent, with ${name} in a cluster`, async () => {
    const store = redis(client)
    const demand = { policy: '', client: crypto.randomUUID(), limit: 9, window: 60_000, cost: 1 }
    const late = store.take([demand], { signal: AbortSignal.abort() })
    await expect(late).rejects.toMatchObject({ code: 'timeout' })
    expect(await store.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
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

testSettlements('a Redis Cluster', (prefix) => redis(ioredis, { prefix }))

describe('a take whose answer is lost with its connection', () => {
  const demand = { policy: '', limit: 9, window: 60_000, cost: 1 }

  for (const name of Object.keys(clients) as (keyof typeof clients)[]) {
    test(`is counted once and fails, with ${name}`, async () => {
      const { clients, close } = await connectToCluster(cluster.nodes)
      try {
        const store = redis(clients[name])
        const client = crypto.randomUUID()
        await store.take([{ ...demand, client }])
        loser.loseAnswer(client)
        const error = await store.take([{ ...demand, client }]).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(StoreError)
        expect(error).toMatchObject({ code: 'unreachable' })
        expect(await ioredis.get(`ratelimit:{${client}}`)).toBe('2')
      } finally {
        close()
      }
    })
  }

  test('is counted twice with ioredis as it comes, which is what the warning is about', async () => {
    const eager = new Cluster([...cluster.nodes])
    try {
      const client = crypto.randomUUID()
      let store = redis(ioredis)
      expect(warningsOf(() => (store = redis(eager)))).toEqual([
        expect.stringContaining('retryDelayOnFailover: 0'),
      ])
      await store.take([{ ...demand, client }])
      loser.loseAnswer(client)
      expect((await store.take([{ ...demand, client }]))[0]).toMatchObject({ granted: 1, used: 3 })
    } finally {
      eager.disconnect()
    }
  })
})

test('policies that count different clients are refused at construction, by name', () => {
  const policies = [
    { name: 'each', limit: 5, window: '1s', client: ip() },
    { name: 'key', limit: 5, window: '1s', client: header('x-api-key') },
  ] as const
  expect(() => createLimiter({ policies, store: redis(ioredis) })).toThrow(
    /^policies: expected the same `client` in every policy/,
  )
})

test('a client that sends nothing twice is not warned of, and a prefix with braces is refused', () => {
  expect(warningsOf(() => redis(ioredis))).toEqual([])
  expect(() => redis(ioredis, { prefix: 'a{b' })).toThrow(/^prefix: expected .+, got "a\{b"/)
})

test('a call for different clients is rejected whole', async () => {
  const demand = { policy: '', limit: 5, window: 500, cost: 1 }
  const taken = redis(ioredis).take([
    { ...demand, client: 'a' },
    { ...demand, client: 'b' },
  ])
  await expect(taken).rejects.toMatchObject({ code: 'rejected' })
})
