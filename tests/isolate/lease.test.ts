import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/errors.ts'
import { needsRefill, newLease, refillSize } from '../../src/isolate/lease.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Demand, Store } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { allLease, guarded, isolate } from '../support/guarded.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const demand: Demand = { policy: '', client: 'a', limit: 1000, window: 60_000, cost: 1 }

/** The policy `strict` does not lease, every other takes units ahead for two seconds. */
const policies = Object.assign(new Map<string, { ahead: number }>(), {
  get: (policy: string) => (policy === 'strict' ? undefined : { ahead: 2000 }),
})

/** One store that counts its trips, and isolates that lease from it. */
function edge() {
  const clock = manualClock()
  const near = memory({ clock })
  let trips = 0
  const store: Store = {
    take(demands, options) {
      trips++
      return near.take(demands, options)
    },
  }
  const leasing = () => isolate(store, clock, { policies })
  return { clock, near, store, leasing, trips: () => trips }
}

/** So many checks, evenly spread over a second; how many passed. */
async function second(
  store: Store,
  clock: ReturnType<typeof manualClock>,
  rate: number,
  more = {},
) {
  let passed = 0
  for (let n = 0; n < rate; n++) {
    const [grant] = await store.take([{ ...demand, ...more }])
    passed += grant?.granted ?? 0
    clock.advance(1000 / rate)
  }
  return passed
}

test('a refill takes at most a share of the units left, and of the time left', () => {
  const now = 10_000
  // A hundred requests a second.
  const lease = { ...newLease(0), recentRequests: 451, lastAt: now }
  const window = (used: number, left: number) => ({ used, since: 0, until: now + left, over: 0 })
  expect(refillSize(lease, window(900, 60_000), 1000, 2000, now)).toBe(3)
  expect(refillSize(lease, window(0, 400), 1_000_000, 2000, now)).toBe(10)
  expect(refillSize(lease, window(0, 60_000), 1_000_000, 2000, now)).toBe(200)
  // Of a client whose limit was lowered.
  expect(refillSize(lease, window(1000, 60_000), 500, 2000, now)).toBe(0)
})

test('a lease is refilled at the latest when one unit is left', () => {
  const lease = { ...newLease(0), recentRequests: 20, lastRefill: 1 }
  expect(needsRefill({ ...lease, units: 1 }, 0)).toBe(true)
  expect(needsRefill({ ...lease, units: 2 }, 0)).toBe(false)
})

describe('a lease', () => {
  test('makes a hot key cost a trip for many checks', async () => {
    const { clock, leasing, trips } = edge()
    const store = leasing()
    expect(await second(store, clock, 50)).toBe(50)
    const before = trips()
    for (let n = 0; n < 5; n++) expect(await second(store, clock, 50)).toBe(50)
    expect(trips() - before).toBeLessThanOrEqual(15)
  })

  test('says who decided, and what is certainly left', async () => {
    const { clock, leasing, near } = edge()
    const store = leasing()
    await second(store, clock, 100)
    const [grant] = await store.take([demand])
    expect(grant).toMatchObject({ granted: 1, used: 101, source: 'lease' })
    const [look] = await near.take([{ ...demand, cost: 0 }])
    expect(look?.used).toBeGreaterThan(101)
  })

  test('is not taken for a key that is not hot here', async () => {
    const { clock, leasing, near } = edge()
    const store = leasing()
    for (let n = 0; n < 20; n++) await second(store, clock, 1)
    expect(await near.take([{ ...demand, cost: 0 }])).toMatchObject([{ used: 20 }])
  })

  test('is never taken for a policy that does not lease', async () => {
    const { clock, leasing, trips } = edge()
    await second(leasing(), clock, 50, { policy: 'strict' })
    expect(trips()).toBe(50)
  })

  test('is not taken for looks, however many there are', async () => {
    const { clock, leasing, near } = edge()
    const store = leasing()
    await store.take([demand])
    await second(store, clock, 50, { cost: 0 })
    expect(await near.take([{ ...demand, cost: 0 }])).toMatchObject([{ used: 1 }])
  })

  test('is refilled by one of several requests at a time', async () => {
    const { clock, calls, state, guarded } = scriptedStore()
    const one = guarded({ policies: allLease(2000) })
    for (let n = 0; n < 50; n++) {
      await one.take([{ ...demand, cost: 1 }])
      clock.advance(20)
    }
    calls.length = 0
    state.outcome = () => 'hang'
    // More than the lease holds.
    for (let n = 0; n < 5; n++) void one.take([{ ...demand, cost: 100 }])
    expect(calls).toHaveLength(5)
    expect(calls.flat().filter(({ reserve = 0 }) => reserve > 0)).toHaveLength(1)
  })

  test('is spent first while the store is away, without a call', async () => {
    const { clock, calls, state, guarded } = scriptedStore()
    const one = guarded({ policies: allLease(2000) })
    for (let n = 0; n < 60; n++) {
      await one.take([demand])
      clock.advance(10)
    }
    // The last refill has been answered.
    await flush()
    state.outcome = refused
    expect(await one.take([{ ...demand, cost: 100 }])).toMatchObject([{ source: 'local' }])
    calls.length = 0
    let spent = 0
    for (let n = 0; n < 100; n++) if ((await one.take([demand]))[0]?.source === 'lease') spent++
    expect(spent).toBeGreaterThan(0)
    expect(calls).toHaveLength(0)
  })

  for (const [fault, error] of [
    ['cannot be reached', refused()],
    ['rejects writes', new StoreError('rejected', 'OOM', { mayHaveCounted: false })],
  ] as const) {
    for (const more of [
      { fallback: 'local' },
      { fallback: 'closed' },
      { breaker: false },
    ] as const) {
      test(`takes nothing in advance of a store that ${fault}: ${JSON.stringify(more)}`, async () => {
        const { clock, calls, state, guarded } = scriptedStore()
        const { waitUntil } = background(clock)
        const rules = { ahead: 2000, ...('fallback' in more && { fallback: more.fallback }) }
        const one = guarded({ policies: new Map([['', rules]]), ...('breaker' in more && more) })
        for (let n = 0; n < 100; n++) {
          await one.take([demand], { waitUntil })
          await flush()
          clock.advance(20)
        }
        state.outcome = () => error
        await guarded().take([{ ...demand, policy: 'strict' }])
        calls.length = 0
        const callsWhenSpent: number[] = []
        while ((await one.take([demand], { waitUntil }))[0]?.source === 'lease') {
          await flush()
          callsWhenSpent.push(calls.length)
          clock.advance(20)
        }
        expect(callsWhenSpent.length).toBeGreaterThan(2)
        expect(callsWhenSpent.at(-1)).toBe(0)
      })
    }
  }

  test('of many isolates grants exactly the limit together, and no more', async () => {
    const { clock, leasing } = edge()
    const isolates = Array.from({ length: 5 }, leasing)
    let passed = 0
    for (let n = 0; n < 2000; n++) {
      const [grant] = (await isolates[n % 5]?.take([demand])) ?? []
      passed += grant?.granted ?? 0
      clock.advance(10)
    }
    // Each spends what it holds: nothing is left over, and nothing was made up.
    expect(passed).toBe(1000)
  })

  test('ends with its window, whatever is left of it', async () => {
    const { clock, leasing, near } = edge()
    const store = leasing()
    await second(store, clock, 50, { window: 2000 })
    clock.advance(1500)
    const [grant] = await store.take([{ ...demand, window: 2000 }])
    expect(grant).toMatchObject({ granted: 1, used: 1 })
    expect(await near.take([{ ...demand, window: 2000, cost: 0 }])).toMatchObject([{ used: 1 }])
  })

  test('whose refill comes when its window has ended does not keep it', async () => {
    const { clock, near } = edge()
    let release: (() => void) | undefined
    const store: Store = {
      async take(demands) {
        const grants = await near.take(demands)
        const isRefill = demands.some(({ cost }) => cost === 0)
        if (isRefill) await new Promise<void>((resolve) => (release = resolve))
        return grants
      },
    }
    const leasing = isolate(store, clock, { policies })
    const work: Promise<unknown>[] = []
    const take = () => leasing.take([demand], { waitUntil: (one) => void work.push(one) })
    for (let n = 0; n < 500 && release === undefined; n++) {
      await take()
      clock.advance(10)
    }
    clock.advance(demand.window)
    expect(await take()).toMatchObject([{ granted: 1, used: 1 }])
    expect(release).toBeDefined()
    release?.()
    await Promise.all(work)
    const [next] = await take()
    expect(next).toMatchObject({ granted: 1, used: 2 })
    expect(next?.source).toBeUndefined()
  })

  test('with several policies is charged in all or in none', async () => {
    const { clock, leasing, near } = edge()
    const store = leasing()
    await second(store, clock, 50)
    const strict = { ...demand, policy: 'strict', limit: 2 }
    const used = async () => (await store.take([demand]))[0]?.used ?? 0
    const before = await used()
    for (const granted of [1, 1, 0, 0]) {
      const grants = await store.take([demand, strict])
      expect(grants.map((grant) => grant.granted)).toEqual([granted, granted])
    }
    expect(await used()).toBe(before + 3)
    expect(await near.take([{ ...strict, cost: 0 }])).toMatchObject([{ used: 2 }])
  })

  test('never tells more left than there is, whichever answer comes first', async () => {
    const { clock, near } = edge()
    const answers: (() => void)[] = []
    let held = false
    const store: Store = {
      async take(demands) {
        const grants = await near.take(demands)
        if (held) await new Promise<void>((resolve) => answers.push(resolve))
        return grants
      },
    }
    const leasing = isolate(store, clock, { policies })
    for (let n = 0; n < 40; n++) {
      held = true
      const asked = [0, 1].map(() => leasing.take([demand]))
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      for (const answer of answers.splice(0).reverse()) {
        answer()
        await Promise.resolve()
      }
      held = false
      for (const [grant] of await Promise.all(asked)) {
        expect(grant?.used).toBeGreaterThan(2 * n)
        expect(grant?.used).toBeLessThanOrEqual(demand.limit)
      }
      clock.advance(150)
    }
  })

  test('of a window that was lost is not spent after its end, however far the next one is used', async () => {
    const { clock } = edge()
    const first = memory({ clock })
    const other = memory({ clock })
    let lost = false
    const store: Store = { take: (demands) => (lost ? other : first).take(demands) }
    const leasing = isolate(store, clock, { policies })
    await second(leasing, clock, 100)
    clock.advance(1000)
    // Others have used the window that began anew further than this isolate knew of the old one.
    lost = true
    await other.take([{ ...demand, cost: 500 }])
    const work: Promise<unknown>[] = []
    for (let n = 0; n < 500 && work.length === 0; n++) {
      await leasing.take([demand], { waitUntil: (one) => void work.push(one) })
    }
    await Promise.all(work)
    const [looked] = await other.take([{ ...demand, cost: 0 }])
    const taken = (looked?.used ?? 0) - 500
    expect(taken).toBeGreaterThan(0)
    clock.advance(demand.window - 1000)
    let spent = 0
    while ((await leasing.take([demand]))[0]?.source === 'lease' && spent < 500) spent++
    expect(spent).toBeLessThanOrEqual(taken)
  })

  test('gives nothing back into a window that began meanwhile', async () => {
    const { clock, near } = edge()
    const strict = { ...demand, policy: 'strict', limit: 1 }
    let meanwhile: (() => Promise<unknown>) | undefined
    const store: Store = {
      async take(demands) {
        const grants = await near.take(demands)
        if (demands.some(({ policy }) => policy === 'strict')) await meanwhile?.()
        return grants
      },
    }
    const leasing = isolate(store, clock, { policies })
    await second(leasing, clock, 50)
    await near.take([strict])
    meanwhile = async () => {
      clock.advance(demand.window)
      expect(await leasing.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
    }
    const grants = await leasing.take([demand, strict])
    expect(grants.map(({ granted }) => granted)).toEqual([0, 0])
    const [next] = await leasing.take([demand])
    expect(next).toMatchObject({ granted: 1, used: 2 })
    expect(next?.source).toBeUndefined()
  })

  test('gives back what it set aside when the store fails', async () => {
    const { clock, near } = edge()
    let fails = false
    const store: Store = {
      take: async (demands) => {
        if (fails) throw new Error('away')
        return near.take(demands)
      },
    }
    const leasing = isolate(store, clock, { policies })
    await second(leasing, clock, 50)
    const [before] = await leasing.take([demand])
    fails = true
    const strict = { ...demand, policy: 'strict', limit: 1 }
    expect(await leasing.take([strict])).toMatchObject([{ granted: 1, source: 'local' }])
    const grants = await leasing.take([demand, strict])
    expect(grants.map(({ granted }) => granted)).toEqual([0, 0])
    const [after] = await leasing.take([demand])
    expect(after).toMatchObject({ source: 'lease', used: (before?.used ?? 0) + 1 })
  })

  test('is refilled behind the back of requests where something keeps such work alive', async () => {
    const { clock, leasing, trips } = edge()
    const store = leasing()
    await second(store, clock, 50)
    const work: Promise<unknown>[] = []
    const waitUntil = (promise: Promise<unknown>) => void work.push(promise)
    const sources = new Set<string | undefined>()
    const before = trips()
    for (let n = 0; n < 300; n++) {
      const [grant] = await store.take([demand], { waitUntil })
      sources.add(grant?.source)
      await Promise.all(work)
      clock.advance(20)
    }
    expect([...sources]).toEqual(['lease'])
    expect(trips() - before).toBe(work.length)
    expect(work.length).toBeLessThan(20)
  })

  test('is refilled early enough that no check waits for a trip of 200 ms', async () => {
    const { clock, near } = edge()
    let tripMs = 0
    const store: Store = {
      async take(demands) {
        const grants = await near.take(demands)
        await new Promise<void>((resolve) => clock.timer(tripMs, resolve))
        return grants
      },
    }
    const leasing = isolate(store, clock, { policies })
    const sources: (string | undefined)[] = []
    /** 100 checks a second, none of which waits for the one before. */
    async function check(times: number) {
      for (let n = 0; n < times; n++) {
        const taking = leasing.take([{ ...demand, limit: 1600 }], { waitUntil: () => {} })
        void taking.then(([grant]) => sources.push(grant?.source))
        for (let turn = 0; turn < 20; turn++) await undefined
        clock.advance(10)
      }
    }
    await check(200)
    tripMs = 200
    await check(200)
    sources.length = 0
    await check(200)
    expect(new Set(sources)).toEqual(new Set(['lease']))
  })

  test('that never hears of its refill asks for itself', async () => {
    const { clock, near } = edge()
    let silent = false
    const store: Store = {
      take: (demands) => (silent ? new Promise<never>(() => {}) : near.take(demands)),
    }
    const leasing = isolate(store, clock, { policies })
    await second(leasing, clock, 50)
    silent = true
    const waitUntil = () => {}
    let left = 0
    for (; left < 500; left++) {
      const answer = await Promise.race([leasing.take([demand], { waitUntil }), undefined])
      if (answer === undefined) break
    }
    expect(left).toBeGreaterThan(1)
    silent = false
    clock.advance(3000)
    expect(await second(leasing, clock, 50)).toBe(50)
  })

  test('hands its refills on with what keeps work alive, for a store that may have to heal', async () => {
    const { clock, near } = edge()
    const kept: boolean[] = []
    const store: Store = {
      take(demands, options) {
        if (demands[0]?.cost === 0) kept.push(options?.waitUntil !== undefined)
        return near.take(demands)
      },
    }
    const leasing = isolate(store, clock, { policies })
    for (let n = 0; n < 200; n++) {
      await leasing.take([demand], { waitUntil: () => {} })
      clock.advance(20)
    }
    expect(kept.length).toBeGreaterThan(0)
    expect(new Set(kept)).toEqual(new Set([true]))
  })

  test('follows the rate and the end of the window also after a clock was set back', async () => {
    const { clock, near } = edge()
    let most = 0
    const store: Store = {
      async take(demands, options) {
        const grants = await near.take(demands, options)
        most = Math.max(most, (grants[0]?.granted ?? 0) - 1)
        return grants
      },
    }
    // The store's own clock goes on.
    let behind = 0
    const leasing = isolate(store, () => clock() - behind, { policies: allLease(4000) })
    const plenty = { limit: 1_000_000 }
    for (let n = 0; n < 10; n++) await second(leasing, clock, 50, plenty)
    behind = 3_600_000
    most = 0
    for (let n = 0; n < 10; n++) await second(leasing, clock, 50, plenty)
    expect(most).toBeLessThanOrEqual(4 * 50)
  })

  test('of a higher limit pays for no unit beyond a lower limit of the same key', async () => {
    const { clock, store } = edge()
    const [wide, narrow] = [
      guarded(store, clock, { policies }),
      guarded(store, clock, { policies }),
    ]
    await second(wide, clock, 100)
    expect(await wide.take([demand])).toMatchObject([{ granted: 1, source: 'lease' }])
    const grants = await narrow.take([{ ...demand, limit: 50 }])
    expect(grants).toMatchObject([{ granted: 0, source: 'known' }])
  })

  test('is not spent by a limiter that does not lease, over the same key', async () => {
    const { clock, store, near } = edge()
    const [leasing, strict] = [guarded(store, clock, { policies }), guarded(store, clock)]
    await second(leasing, clock, 100)
    const [before] = await near.take([{ ...demand, cost: 0 }])
    const [grant] = await strict.take([demand])
    expect(grant).toMatchObject({ granted: 1, used: (before?.used ?? 0) + 1 })
    expect(grant?.source).toBeUndefined()
    expect(await leasing.take([demand])).toMatchObject([{ granted: 1, source: 'lease' }])
  })

  test('is spent to its end also if it is known that others have used up the rest', async () => {
    const { clock, near, leasing } = edge()
    const store = leasing()
    await second(store, clock, 100)
    const [look] = await near.take([{ ...demand, cost: 0 }])
    await near.take([{ ...demand, cost: demand.limit - (look?.used ?? 0) }])
    const work: Promise<unknown>[] = []
    let passed = 100
    for (let granted = 1; granted > 0; passed += granted) {
      const [grant] = await store.take([demand], { waitUntil: (one) => void work.push(one) })
      await Promise.all(work)
      granted = grant?.granted ?? 0
    }
    expect(work.length).toBeGreaterThan(0)
    expect(passed).toBe(look?.used)
  })

  test('is no part of what a refusal for another policy tells as used', async () => {
    const { clock, near, leasing } = edge()
    const store = leasing()
    await second(store, clock, 100)
    const strict = { ...demand, policy: 'strict', limit: 1 }
    await store.take([strict])
    const [before] = await store.take([demand])
    const [refused] = await store.take([demand, strict])
    expect(refused).toMatchObject({ granted: 0, used: before?.used, source: 'known' })
    const [look] = await near.take([{ ...demand, cost: 0 }])
    expect(look?.used).toBeGreaterThan(before?.used ?? 0)
  })
})
