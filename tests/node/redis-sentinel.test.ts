import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, type Store, StoreError } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { answerLoser } from '../support/lost-answer.ts'
import { pause } from '../support/pause.ts'
import { connectToSentinel, startSentinel } from '../support/redis-cluster.ts'
import { clientSubject } from '../support/subjects.ts'

const loser = answerLoser()
const servers = await startSentinel(loser.standBefore)
afterAll(async () => {
  loser.stop()
  await servers.stop()
})
const { name: master, sentinels } = servers
const { clients, connection, close } = await connectToSentinel(master, sentinels)
afterAll(close)

for (const [name, client] of Object.entries(clients)) {
  describe(`store: redis with ${name} behind Sentinel`, () => {
    storeConformance({
      test,
      make: () => clientSubject(connection, (options) => redis(client, options)),
    })
  })

  test(`a take that nobody waits for any more is not sent, with ${name} behind Sentinel`, async () => {
    const store = redis(client)
    const demand = { policy: '', client: crypto.randomUUID(), limit: 9, window: 60_000, cost: 1 }
    const late = store.take([demand], { signal: AbortSignal.abort() })
    await expect(late).rejects.toMatchObject({ code: 'timeout' })
    expect(await store.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
  })
}

for (const name of Object.keys(clients) as (keyof typeof clients)[]) {
  test(`a take whose answer is lost with its connection is counted once and fails, with ${name}`, async () => {
    const { clients, close } = await connectToSentinel(master, sentinels)
    try {
      const store = redis(clients[name])
      const demand = { policy: '', client: crypto.randomUUID(), limit: 9, window: 60_000, cost: 1 }
      await store.take([demand])
      loser.loseAnswer(demand.client)
      const error = await store.take([demand]).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({ code: 'unreachable' })
      expect(await connection.get(`ratelimit:${demand.client}`)).toBe('2')
    } finally {
      await close()
    }
  })
}

/** Requests through a store one after another, until it is over and the store counts again. */
async function traffic(store: Store, isOver: () => boolean) {
  const errors: string[] = []
  const sources = new Set<string>()
  const limiter = createLimiter({
    limit: 100_000,
    window: '1m',
    client: () => ({ plain: 'a' }),
    store,
    timeout: 200,
    onStoreEvent: (event) => {
      if (event.type !== 'back') errors.push(event.error.code)
    },
  })
  const check = async () => (await limiter.check(new Request('https://example.com/'))).source
  const before = await check()
  while (!isOver()) {
    sources.add(await check())
    await pause(5)
  }
  let after = await check()
  for (let attempt = 0; attempt < 500 && after !== 'store'; attempt++) {
    await pause(10)
    after = await check()
  }
  return { before, meanwhile: [...sources], after, failed: errors.length > 0 }
}

test('a failover in the middle of traffic throws nothing and leaves no key without expiry', async () => {
  let over = false
  const seen = Object.entries(clients).map(async ([name, client]) => {
    const store = redis(client, { prefix: `failover-${name}` })
    return [name, await traffic(store, () => over)]
  })
  await pause(50)
  await servers.failOver()
  over = true
  const survived = {
    before: 'store',
    meanwhile: expect.arrayContaining(['local']),
    after: 'store',
    failed: true,
  }
  expect(Object.fromEntries(await Promise.all(seen))).toEqual({
    ioredis: survived,
    iovalkey: survived,
    'node-redis': survived,
  })
  const keys = await connection.keys('failover-*')
  expect(keys).toHaveLength(3)
  for (const key of keys) expect(await connection.pttl(key)).toBeGreaterThan(0)
})
