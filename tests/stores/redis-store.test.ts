import { describe, expect, test } from 'vitest'
import { redisModel } from '../../src/simulation/redis-model.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { Demand, Observed, Store } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { guarded } from '../support/guarded.ts'

const demand: Demand = { policy: '', client: 'a', limit: 9, window: 1000, cost: 1 }

/** A store whose trips take as long as is told, there and back. */
function distant() {
  const clock = manualClock()
  const model = redisModel(clock)
  const trip = { there: 0, back: 0 }
  const travel =
    <Args extends unknown[]>(command: (...args: Args) => Promise<unknown>) =>
    async (...args: Args) => {
      clock.advance(trip.there)
      const answer = await command(...args)
      clock.advance(trip.back)
      return answer
    }
  const { evalsha, eval: run, incrby } = model.client
  const client = { evalsha: travel(evalsha), eval: travel(run), incrby: travel(incrby) }
  const hints: Observed[] = []
  const redis = redisStore(client, { name: 'model', prefix: 'k' })
  const noting: Store = {
    take(demands, options) {
      if (options?.observed) hints.push(options.observed)
      return redis.take(demands, options)
    },
  }
  const store = guarded(noting, clock)
  const end = () => model.life('k:a')?.endsAt ?? Number.NaN
  return { clock, client, model, store, trip, hints, end }
}

describe('a window seen from afar', () => {
  test('is told to end no sooner than it does, and trusted no longer than it lasts', async () => {
    for (const first of [
      { there: 40, back: 0 },
      { there: 0, back: 40 },
      { there: 20, back: 20 },
    ]) {
      for (const second of [0, 10, 60]) {
        const { clock, store, trip, hints, end } = distant()
        Object.assign(trip, first)
        await store.take([demand])
        Object.assign(trip, { there: second, back: 0 })
        const [grant] = await store.take([demand])
        expect(clock() + (grant?.resetIn ?? 0)).toBeGreaterThanOrEqual(end())
        const [observed] = hints
        expect(observed?.isOpen()).toBe(true)
        clock.advance(end() - clock())
        expect(observed?.isOpen()).toBe(false)
      }
    }
  })

  test('costs one command a check, and none that a larger cost could be charged by', async () => {
    const { model, store } = distant()
    await store.take([demand])
    const before = model.billed()
    await store.take([demand])
    expect(model.billed()).toBe(before + 1)
    expect(await store.take([{ ...demand, cost: 8 }])).toMatchObject([{ granted: 0, used: 2 }])
    expect(model.life('k:a')?.count).toBe(2)
  })

  test('is asked for anew when its answer comes after its end', async () => {
    const { clock, store, trip, end } = distant()
    await store.take([demand])
    clock.advance(990)
    Object.assign(trip, { there: 20, back: 20 })
    const [grant] = await store.take([demand])
    expect(grant).toMatchObject({ granted: 1, used: 1, retryIn: 0 })
    expect(clock() + (grant?.resetIn ?? 0)).toBeGreaterThanOrEqual(end())
    expect(end()).toBeLessThanOrEqual(clock() + 1000)
  })

  test('that was lost is found to be, and ends like any other', async () => {
    const { clock, model, store, end } = distant()
    for (let unit = 0; unit < 3; unit++) await store.take([demand])
    model.evict('k:a')
    expect(await store.take([demand])).toMatchObject([{ granted: 1, used: 1, resetIn: 1000 }])
    expect(end() - clock()).toBe(1000)
  })

  test('of a policy that was given a shorter one is shortened', async () => {
    const { clock, store, end } = distant()
    await store.take([demand])
    expect(await store.take([{ ...demand, window: 300 }])).toMatchObject([{ resetIn: 300 }])
    expect(end() - clock()).toBe(300)
  })

  test('is not counted on after a count without an answer, which may have made a key', async () => {
    const { clock, client, model } = distant()
    let isAway = false
    const unlessAway =
      <Args extends unknown[]>(command: (...args: Args) => Promise<unknown>) =>
      async (...args: Args) => {
        if (isAway) throw new Error('away')
        return command(...args)
      }
    const redis = redisStore(
      {
        eval: unlessAway(client.eval),
        evalsha: unlessAway(client.evalsha),
        async incrby(...args) {
          const count = await client.incrby(...args)
          if (isAway) throw new Error('no answer')
          return count
        },
      },
      { name: 'model', prefix: 'k' },
    )
    const store = guarded(redis, clock, { breaker: false })
    await store.take([demand])
    model.evict('k:a')
    isAway = true
    await store.take([demand])
    expect(model.life('k:a')?.endsAt).toBeUndefined()
    isAway = false
    await store.take([demand])
    expect(model.life('k:a')?.endsAt).toBeDefined()
  })

  test('is no hint for several demands, of which each is counted', async () => {
    const { client, model } = distant()
    const redis = redisStore(client, { name: 'model', prefix: 'k' })
    const demands = [demand, { ...demand, client: 'b' }]
    await redis.take(demands)
    const observed = { used: 1, isOpen: () => true }
    expect(await redis.take(demands, { observed })).toMatchObject([{ used: 2 }, { used: 2 }])
    expect(model.life('k:b')?.count).toBe(2)
  })

  test('is not counted on by a look', async () => {
    const { model, store } = distant()
    await store.take([demand])
    expect(await store.take([{ ...demand, cost: 0 }])).toMatchObject([{ granted: 0, used: 1 }])
    expect(model.life('k:a')?.count).toBe(1)
  })
})

describe('an answer of the backend', () => {
  const observed = { used: 2, isOpen: () => true }

  /** A store over a backend that answers every command with this. */
  const answering = (answer: unknown) => {
    const command = async () => answer
    const client = { eval: command, evalsha: command, incrby: command }
    return redisStore(client, { name: 'redis', prefix: 'k' })
  }

  for (const count of [null, '', ' ', 'QUEUED', true, [], [3], {}, 3.5]) {
    test(`that is ${JSON.stringify(count)} is no count`, async () => {
      await expect(answering(count).take([demand], { observed })).rejects.toMatchObject({
        code: 'unreachable',
        message: 'redis: INCRBY returned no number',
      })
    })

    test(`with ${JSON.stringify(count)} is no answer of the script`, async () => {
      for (const answer of [count, [count], [[count, 3, 1000, 0]], [[1, count, 1000, 0]]]) {
        await expect(answering(answer).take([demand])).rejects.toMatchObject({
          code: 'unreachable',
          message: 'redis: the script returned an unexpected answer',
        })
      }
    })
  }

  const types: readonly ((value: number) => unknown)[] = [Number, String, BigInt]
  for (const convert of types) {
    test(`may hold each number as a ${convert.name}`, async () => {
      const count = await answering(convert(3)).take([demand], { observed })
      expect(count).toMatchObject([{ granted: 1, used: 3 }])
      const answer = [1, 3, 1000, 0].map((value) => convert(value))
      expect(await answering([answer]).take([demand])).toEqual([
        { granted: 1, used: 3, resetIn: 1000, retryIn: 0 },
      ])
    })
  }
})
