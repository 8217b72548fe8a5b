import { describe, expect, test } from 'vitest'
import { createLimiter, type Grant, type Store } from '../../src/index.ts'
import { redisModel } from '../../src/simulation/redis-model.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { Demand } from '../../src/stores/store.ts'
import { manualClock, storeConformance } from '../../src/testing/index.ts'
import { able } from '../support/able.ts'
import { guarded } from '../support/guarded.ts'

/** A store over a model of Redis, whose time is moved by hand. */
function modelled() {
  const clock = manualClock()
  const model = redisModel(clock)
  const store = redisStore(model.client, { name: 'model', prefix: 'k' })
  return { clock, model, store, knowing: guarded(store, clock) }
}

describe('store: the script over a model of Redis, by the millisecond', () => {
  storeConformance({
    test,
    make() {
      const { clock, model, store } = modelled()
      return {
        store: able(store),
        elapse: clock.advance,
        flush: () => model.keys().forEach(model.evict),
        loseExpiry() {
          for (const key of model.keys())
            Object.assign(model.life(key) ?? {}, { endsAt: undefined })
        },
      }
    },
  })
})

const demand: Demand = { policy: '', client: 'a', limit: 2, window: 1000, cost: 1 }

describe('a client that waits as it was told to is granted, and one that comes sooner is not', () => {
  async function expectExact(
    store: Store,
    { advance }: { advance(ms: number): void },
    max: number,
  ) {
    for (const elapsed of [0, 1, 400, 999]) {
      await store.take([{ ...demand, cost: 2 }])
      advance(elapsed)
      const [refused] = await store.take([demand])
      expect(refused).toMatchObject({ granted: 0, used: 2, retryIn: max - elapsed })
      advance(max - elapsed - 1)
      expect((await store.take([demand]))[0]?.granted).toBe(0)
      advance(1)
      expect((await store.take([demand]))[0]?.granted).toBe(1)
      advance(max)
    }
  }

  test('by the script, and in the last millisecond of a key too', async () => {
    const { clock, store } = modelled()
    await expectExact(store, clock, 1001)
  })

  test('in the millisecond that PTTL names, in which the key is still there', async () => {
    const { clock, store } = modelled()
    await store.take([{ ...demand, cost: 2 }])
    clock.advance(1000)
    expect(await store.take([demand])).toMatchObject([{ granted: 0, resetIn: 1, retryIn: 1 }])
  })

  test('by a count, when others have taken what this isolate believed to be left', async () => {
    const { clock, model, knowing } = modelled()
    await knowing.take([demand])
    clock.advance(300)
    await model.client.incrby('k:a', 1)
    const before = model.billed()
    const [refused] = await knowing.take([demand])
    expect(model.billed()).toBe(before + 1)
    expect(refused).toMatchObject({ granted: 0, used: 2, retryIn: 702 })
    clock.advance(701)
    expect((await knowing.take([demand]))[0]?.granted).toBe(1)
  })
})

describe('a count below 0, by which an operator gives units, is told as none used', () => {
  const many: Demand = { ...demand, limit: 10, window: 60_000 }
  const numbers = ([grant]: readonly Grant[]) => ({ granted: grant?.granted, used: grant?.used })

  test('by the script: what was given is granted on top of the limit', async () => {
    const { model, store } = modelled()
    await store.take([many])
    await model.client.incrby('k:a', -5)
    expect(numbers(await store.take([{ ...many, cost: 0 }]))).toEqual({ granted: 0, used: 0 })
    expect(numbers(await store.take([{ ...many, cost: 3 }]))).toEqual({ granted: 3, used: 0 })
    expect(numbers(await store.take([many]))).toEqual({ granted: 1, used: 0 })
    expect(numbers(await store.take([{ ...many, cost: 10 }]))).toEqual({ granted: 10, used: 10 })
    expect(numbers(await store.take([many]))).toEqual({ granted: 0, used: 10 })
  })

  test('by several demands', async () => {
    const { model, store } = modelled()
    await store.take([many])
    await model.client.incrby('k:a', -5)
    const grants = await store.take([many, { ...many, client: 'b' }])
    expect(grants.map(({ used }) => used)).toEqual([0, 1])
  })

  for (const given of [-1, -2, -5, -999_999_999_999_999]) {
    test(`by a plain count that finds ${given} of them given`, async () => {
      const { model, knowing } = modelled()
      await knowing.take([many])
      await model.client.incrby('k:a', given)
      const [grant] = await knowing.take([many])
      expect(grant).toMatchObject({ granted: 1, retryIn: 0 })
      expect(grant?.used).toBe(Math.max(0, given + 2))
    })
  }

  test('in the fields of a response', async () => {
    for (const given of [-5, -999_999_999_999_999]) {
      const { model, store } = modelled()
      const limiter = createLimiter({ limit: 10, window: '1m', client: () => 'a', store })
      const check = () => limiter.check(new Request('https://example.com'))
      await check()
      for (const key of model.keys()) await model.client.incrby(key, given)
      const decision = await check()
      const { headers } = limiter.mark(new Response('ok'), decision)
      expect(headers.get('RateLimit')).toBe('"default";r=10;t=60')
    }
  })
})

test('what is left is a whole number from 0 to the limit, whatever a store says is used', async () => {
  for (const [used, remaining] of [
    [-4, 10],
    [-1e300, 10],
    [1e300, 0],
    [2.5, 7],
    [11, 0],
  ] as const) {
    const grants: readonly Grant[] = [{ granted: 1, used, resetIn: 9, retryIn: 0 }]
    const store: Store = { guard: 'none', take: async () => grants }
    const limiter = createLimiter({ limit: 10, window: '1m', client: () => 'a', store })
    const { policy } = await limiter.check(new Request('https://example.com'))
    expect(policy?.remaining).toBe(remaining)
  }
})
