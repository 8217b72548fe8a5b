import { describe, expect, test } from 'vitest'
import { knowledgeOf } from '../../src/isolate/knowledge.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Demand, Grant, Store } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { guarded } from '../support/guarded.ts'

const demand: Demand = { policy: '', client: 'a', limit: 3, window: 1000, cost: 1 }

/** A store a trip away, that counts its trips. */
function distant(trip = 30) {
  const clock = manualClock()
  const near = memory({ clock, maxKeys: 100_000 })
  let trips = 0
  const store: Store = {
    async take(demands, options) {
      trips++
      clock.advance(trip)
      const grants = await near.take(demands, options)
      clock.advance(trip)
      return grants
    },
  }
  return { clock, near, store, trips: () => trips }
}

describe('what this isolate knows', () => {
  test('a key seen exhausted is refused without a trip until its window ends', async () => {
    const { clock, store, trips } = distant()
    const knowing = guarded(store, clock)
    for (let unit = 0; unit < 3; unit++) await knowing.take([demand])
    const [refused] = await knowing.take([demand])
    expect(refused).toMatchObject({ granted: 0, used: 3, source: 'known' })
    expect(trips()).toBe(3)
    // Opened 30 ms after the first question, it ends 1000 ms later: 180 ms of trips have passed.
    expect(refused?.retryIn).toBeGreaterThanOrEqual(1000 - 150)
    expect(refused?.retryIn).toBeLessThanOrEqual(1000 - 150 + 30 + 2)
    clock.advance(refused?.retryIn ?? 0)
    expect(await knowing.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
  })

  test('nobody is refused for longer than a trip after the window has ended, nor before', async () => {
    const { clock, store, trips } = distant(30)
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    // The window began at 30 and ends at 1030. The question was sent at 0.
    clock.advance(998 - clock())
    for (; clock() < 1000 + 30; clock.advance(1)) {
      const before = trips()
      const [grant] = await guarded(store, clock).take([demand])
      if (trips() > before) {
        expect(grant?.source).toBeUndefined()
        expect(clock()).toBeLessThanOrEqual(1000 + 60)
        return
      }
      expect(grant).toMatchObject({ granted: 0, source: 'known' })
    }
    throw new Error('refused without asking although the window may have ended')
  })

  test('a cost that would still fit is asked for', async () => {
    const { clock, store, trips } = distant(0)
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 2 }])
    expect(await knowing.take([{ ...demand, cost: 2 }])).toMatchObject([{ source: 'known' }])
    expect(await knowing.take([demand])).toMatchObject([{ granted: 1 }])
    expect(trips()).toBe(2)
  })

  test('a higher limit for the same key is asked for', async () => {
    const { clock, store } = distant(0)
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    expect(await knowing.take([{ ...demand, limit: 4 }])).toMatchObject([{ granted: 1, used: 4 }])
  })

  test('of other policies a refusal tells what is known, and leaves open what is not', async () => {
    const { clock, store } = distant(0)
    const knowing = guarded(store, clock)
    const [hourly, fresh] = [
      { ...demand, policy: 'hourly', limit: 9 },
      { ...demand, policy: 'fresh' },
    ]
    await knowing.take([{ ...demand, cost: 3 }])
    await knowing.take([hourly])
    expect(await knowing.take([hourly, demand, fresh])).toEqual([
      { granted: 0, used: 1, resetIn: 1000, retryIn: 0, source: 'known' },
      { granted: 0, used: 3, resetIn: 1000, retryIn: 1002, source: 'known' },
      { granted: 0, used: 0, resetIn: 0, retryIn: 0, unseen: true, source: 'known' },
    ])
  })

  test('limiters over one store share what they know, those over others do not', async () => {
    const { clock, store, trips } = distant(0)
    await guarded(store, clock).take([{ ...demand, cost: 3 }])
    expect(await guarded(store, clock).take([demand])).toMatchObject([{ source: 'known' }])
    const other = distant(0)
    expect(await guarded(other.store, clock).take([demand])).toMatchObject([{ granted: 1 }])
    expect(trips()).toBe(1)
  })

  test('a clock that is set back makes it ask', async () => {
    const { clock, store, trips } = distant(0)
    const knowing = guarded(store, clock)
    clock.advance(5000)
    await knowing.take([{ ...demand, cost: 3 }])
    clock.advance(-2000)
    await knowing.take([demand])
    expect(trips()).toBe(2)
  })

  test('what a fallback counted is not believed of the store', async () => {
    const clock = manualClock()
    let away = true
    const store: Store = {
      take: async (demands) =>
        demands.map(() =>
          away
            ? { granted: 0, used: 3, resetIn: 900, retryIn: 900, source: 'local' as const }
            : { granted: 1, used: 1, resetIn: 900, retryIn: 0 },
        ),
    }
    const knowing = guarded(store, clock)
    await knowing.take([demand])
    away = false
    expect(await knowing.take([demand])).toMatchObject([{ granted: 1 }])
  })

  test('outlives a flood of new keys', async () => {
    const { clock, store, trips } = distant(0)
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    // Refused for its cost, though a unit is left.
    const costly = { ...demand, client: 'costly', cost: 2 }
    for (let n = 0; n < 3; n++) await knowing.take([costly])
    for (let n = 0; n < 30_000; n++) await knowing.take([{ ...demand, client: `n${n}` }])
    const before = trips()
    expect(await knowing.take([demand])).toMatchObject([{ granted: 0, source: 'known' }])
    expect(await knowing.take([costly])).toMatchObject([{ granted: 0, source: 'known' }])
    expect(trips()).toBe(before)
  })

  test('refuses no look, also if more is used than a lower limit', async () => {
    const { clock, store, trips } = distant()
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    expect(await knowing.take([{ ...demand, limit: 2, cost: 0 }])).toMatchObject([{ used: 2 }])
    expect(trips()).toBe(2)
  })

  test('is forgotten when its client is reset', async () => {
    const { clock, near, store } = distant()
    const knowing = guarded({ ...store, reset: async (keys) => near.reset?.(keys) }, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    await knowing.reset?.([demand])
    expect(await knowing.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
  })

  test('an attacker makes it forgotten by exhausting half of the keys, and not by less', async () => {
    for (const [attackers, source] of [
      [4_900, 'known'],
      [5_000, undefined],
    ] as const) {
      const { clock, store } = distant(0)
      const knowing = guarded(store, clock)
      await knowing.take([{ ...demand, cost: 3 }])
      for (let n = 0; n < attackers; n++) {
        await knowing.take([{ ...demand, client: `attacker ${n}`, cost: 3 }])
      }
      for (let n = 0; n < 10_001; n++) await knowing.take([{ ...demand, client: `n${n}` }])
      // What the isolate forgets, the store still refuses.
      const [refused] = await knowing.take([demand])
      expect(refused).toMatchObject({ granted: 0, used: 3 })
      expect(refused?.source).toBe(source)
    }
  })

  test('a window that is longer than the policy is asked for, since the store will shorten it', async () => {
    const { clock, store, trips } = distant()
    const knowing = guarded(store, clock)
    const hourly = { ...demand, window: 3_600_000 }
    await knowing.take([{ ...hourly, cost: 3 }])
    expect((await knowing.take([hourly]))[0]).toMatchObject({ source: 'known' })
    const before = trips()
    // The same policy, of a deployment that made its window a second.
    const [refused] = await knowing.take([demand])
    expect(trips()).toBe(before + 1)
    expect(refused).toMatchObject({ granted: 0 })
    expect(refused?.retryIn).toBeLessThanOrEqual(demand.window + 60 + 1)
    clock.advance(demand.window + 1)
    expect((await knowing.take([demand]))[0]).toMatchObject({ granted: 1, used: 1 })
  })

  test('a window whose end was moved nearer is believed to end then, and not as it was known', async () => {
    const { clock, store, near } = distant(1)
    const knowing = guarded(store, clock)
    const hourly = { ...demand, window: 3_600_000 }
    for (let unit = 0; unit < 2; unit++) await knowing.take([hourly])
    // An operator's EXPIRE, or a policy that was given a shorter window.
    await near.take([{ ...hourly, window: 2000, cost: 0 }])
    await near.take([{ ...hourly, window: 2000, cost: 1 }])
    const [refused] = await knowing.take([hourly])
    expect(refused).toMatchObject({ granted: 0, used: 3 })
    expect((await knowing.take([hourly]))[0]).toMatchObject({ granted: 0, source: 'known' })
    clock.advance(2500)
    expect((await knowing.take([hourly]))[0]).toMatchObject({ granted: 1, used: 1 })
  })

  test('of one clock is never used by a limiter with another', async () => {
    const { clock, store } = distant(0)
    const ahead = guarded(store, () => clock() + 3_600_000)
    const behind = guarded(store, clock)
    await ahead.take([{ ...demand, cost: 3 }])
    expect(await ahead.take([demand])).toMatchObject([{ granted: 0, source: 'known' }])
    const [asked] = await behind.take([demand])
    expect(asked).toMatchObject({ granted: 0, used: 3, resetIn: 1000 })
    expect(asked?.source).toBeUndefined()
  })

  test('outlives a flood while the store is away, and so do local counts that are used up', async () => {
    const { clock, near } = distant(0)
    let isAway = false
    const store: Store = {
      async take(demands) {
        if (isAway) throw new Error('away')
        return near.take(demands)
      },
    }
    const knowing = guarded(store, clock)
    await knowing.take([{ ...demand, cost: 3 }])
    isAway = true
    const [used, refused] = [
      { ...demand, client: 'used' },
      { ...demand, client: 'refused' },
    ]
    await knowing.take([{ ...used, cost: 2 }])
    await knowing.take([used])
    for (let take = 0; take < 2; take++) await knowing.take([{ ...refused, cost: 2 }])
    for (let n = 0; n < 20_000; n++) await knowing.take([{ ...demand, client: `n${n}` }])
    expect(await knowing.take([demand])).toMatchObject([{ granted: 0, source: 'known' }])
    expect(await knowing.take([used])).toMatchObject([{ granted: 0, used: 3 }])
    expect(await knowing.take([{ ...refused, cost: 2 }])).toMatchObject([{ granted: 0, used: 2 }])
    expect(knowledgeOf(store, clock).unmended.size).toBeLessThanOrEqual(10_000)
  })

  test('is learned from every answer to first questions that were asked at once', async () => {
    const { clock, store, trips } = distant(0)
    const knowing = guarded(store, clock)
    await Promise.all([1, 2, 3].map(() => knowing.take([demand])))
    expect(trips()).toBe(3)
    expect(await knowing.take([demand])).toMatchObject([{ granted: 0, used: 3, source: 'known' }])
    expect(trips()).toBe(3)
  })

  test('outlives the failure of a call that was sent before', async () => {
    const answers: ((answer: readonly Grant[] | Promise<never>) => void)[] = []
    const exhausted: Grant = { granted: 0, used: 3, resetIn: 1000, retryIn: 0 }
    // The first three answers are given below.
    const store: Store = {
      take: () =>
        answers.length < 3
          ? new Promise((resolve) => answers.push(resolve))
          : Promise.resolve([exhausted]),
    }
    const knowing = guarded(store, manualClock(), { breaker: false })
    const former = knowing.take([demand])
    const latter = knowing.take([demand])
    answers[0]?.(Promise.reject(new Error('away')))
    await former
    const answered = knowing.take([demand])
    answers[2]?.([exhausted])
    expect(await answered).toMatchObject([{ granted: 0 }])
    answers[1]?.(Promise.reject(new Error('away')))
    await latter
    expect(await knowing.take([demand])).toMatchObject([{ granted: 0, source: 'known' }])
  })
})
