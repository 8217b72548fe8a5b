/** A store that is away, in virtual time: what isolates decide, wait for and owe. */
import { describe, expect, test } from 'vitest'
import { createLimiter, guard, memory, type PolicyOptions, StoreError } from '../../src/index.ts'
import type { GuardOptions } from '../../src/stores/guard-options.ts'
import type { Demand, Grant, Store, TakeOptions } from '../../src/stores/store.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'
import { isolate } from '../support/guarded.ts'
import { pause } from '../support/pause.ts'

type Mode = 'up' | 'refused' | 'hanging'

/** A store that fails as told, over memory that goes on counting. */
function unreliable() {
  const clock = manualClock()
  const near = memory({ clock })
  const calls: (readonly Demand[])[] = []
  const state = { mode: 'up' as Mode }
  const store: Store = {
    guard,
    take(demands, options?: TakeOptions): Promise<readonly Grant[]> {
      calls.push(demands)
      if (state.mode === 'up') return near.take(demands)
      if (state.mode === 'refused') return Promise.reject(new StoreError('unreachable', 'refused'))
      return new Promise((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new StoreError('timeout', 'hung')))
      })
    },
  }
  const used = async (limit = LIMIT) =>
    (await near.take([{ ...demand, limit, cost: 0 }]))[0]?.used ?? 0
  return { clock, calls, state, store, used }
}

const LIMIT = 100
const demand: Demand = { policy: '', client: 'a', limit: LIMIT, window: 60_000, cost: 1 }
const OPTIONS: Partial<GuardOptions> = { timeout: 1000, random: () => 0.5 }

/** What runs in the background, until it has ended: keys are healed for the second time after 5 s. */
function background(clock: ManualClock) {
  const works: Promise<unknown>[] = []
  return {
    waitUntil: (work: Promise<unknown>) => void works.push(work),
    async settle() {
      await pause(0)
      clock.advance(5000)
      for (let done = 0; done < works.length; done++) await works[done]
    },
  }
}

/** How many of so many checks an isolate grants. */
async function granted(store: Store, checks: number, options?: TakeOptions): Promise<number> {
  let sum = 0
  for (let n = 0; n < checks; n++) sum += (await store.take([demand], options))[0]?.granted ?? 0
  return sum
}

describe('a store that hangs', () => {
  test('is waited for once, and then left alone except for probes', async () => {
    const { clock, calls, state, store } = unreliable()
    const { waitUntil } = background(clock)
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    state.mode = 'hanging'
    const first = one.take([demand], { waitUntil })
    clock.advance(1000)
    expect((await first)[0]).toMatchObject({ granted: 1, source: 'local' })
    // None of these waits: the clock stands still.
    expect(await granted(one, 50, { waitUntil })).toBe(50)
    expect(calls).toHaveLength(1)
    clock.advance(250)
    expect(await granted(one, 10, { waitUntil })).toBe(10)
    expect(calls).toHaveLength(2)
  })

  test('is probed by a request that waits where nothing keeps work alive', async () => {
    const { clock, state, store } = unreliable()
    // Vercel's mark: nothing runs on after the response.
    const marks: { [mark: symbol]: unknown } = globalThis
    const mark = Symbol.for('@vercel/request-context')
    marks[mark] = { get: () => ({ headers: {} }) }
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    delete marks[mark]
    state.mode = 'refused'
    await granted(one, 3)
    clock.advance(1000)
    state.mode = 'hanging'
    let waited: number | undefined
    const since = clock()
    const probing = one.take([demand]).then(([grant]) => {
      waited = clock() - since
      return grant
    })
    expect(await granted(one, 1)).toBe(1)
    clock.advance(1000)
    expect(await probing).toMatchObject({ granted: 1, source: 'local' })
    expect(waited).toBe(1000)
  })
})

describe('counting goes on where it stood', () => {
  test('for a window that was seen, up to what is left of it', async () => {
    const { clock, state, store } = unreliable()
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    await granted(one, 91)
    state.mode = 'refused'
    expect(await granted(one, 50)).toBe(9)
    const [refused] = await one.take([demand])
    expect(refused).toMatchObject({ granted: 0, used: 100, source: 'local' })
    expect(refused?.retryIn).toBeGreaterThan(0)
    clock.advance(60_000)
    expect(await granted(one, 150)).toBe(100)
  })

  test('until that window ends, and not longer', async () => {
    const { clock, state, store } = unreliable()
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    await granted(one, 91)
    clock.advance(30_000)
    state.mode = 'refused'
    expect(await granted(one, 50)).toBe(9)
    clock.advance(30_000)
    expect(await granted(one, 150)).toBe(100)
  })

  test('in four isolates: each grants what it had not seen used, and nothing more once it is back', async () => {
    const { clock, state, store, used } = unreliable()
    const isolates = Array.from({ length: 4 }, () =>
      isolate(store, clock, { ...OPTIONS, timer: clock.timer }),
    )
    await granted(isolates[0] as Store, 86)
    for (const one of isolates) await granted(one, 1)
    state.mode = 'refused'
    const locally: number[] = []
    for (const one of isolates) locally.push(await granted(one, 50))
    expect(locally).toEqual([13, 12, 11, 10])
    state.mode = 'up'
    clock.advance(5000)
    const works = background(clock)
    for (const one of isolates) await granted(one, 1, works)
    await works.settle()
    let more = 0
    for (const one of isolates) more += await granted(one, 20, works)
    expect(more).toBe(0)
    expect(await used()).toBe(100)
  })

  test('and what was granted here is charged before the next request is counted', async () => {
    const { clock, state, store } = unreliable()
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    const small = { ...demand, limit: 10 }
    const sources: unknown[] = []
    const take = async () => {
      const [grant] = await one.take([small])
      sources.push(grant?.granted ? (grant.source ?? 'store') : 'refused')
    }
    for (let n = 0; n < 5; n++) await take()
    state.mode = 'refused'
    for (let n = 0; n < 4; n++) await take()
    state.mode = 'up'
    clock.advance(1000)
    for (let n = 0; n < 5; n++) await take()
    expect(sources.filter((source) => source !== 'refused')).toHaveLength(10)
  })

  test('for clients who do not come back too, in batches of a hundred', async () => {
    const { clock, calls, state, store } = unreliable()
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    state.mode = 'refused'
    for (let n = 0; n < 250; n++) await one.take([{ ...demand, client: `c${n}` }])
    state.mode = 'up'
    clock.advance(1000)
    const works = background(clock)
    await one.take([{ ...demand, client: 'c0' }], works)
    await works.settle()
    const charged = calls.filter(([first]) => first?.owed)
    expect(charged.map((demands) => demands.length)).toEqual([1, 100, 100, 50])
    expect((await store.take([{ ...demand, client: 'c249', cost: 0 }]))[0]?.used).toBe(1)
  })

  test('but not for a window that has ended meanwhile', async () => {
    const { clock, calls, state, store, used } = unreliable()
    const one = isolate(store, clock, { ...OPTIONS, timer: clock.timer })
    state.mode = 'refused'
    await granted(one, 20)
    state.mode = 'up'
    clock.advance(60_000)
    const works = background(clock)
    expect(await granted(one, 1, works)).toBe(1)
    await works.settle()
    expect(await used()).toBe(1)
    expect(calls.length).toBeLessThan(6)
  })
})

describe('the fallback of a policy', () => {
  const limiterOf = (policies: readonly Partial<PolicyOptions>[]) => {
    const { clock, state, store } = unreliable()
    const limiter = createLimiter({
      policies: policies.map((policy, at) => ({
        name: `p${at}`,
        limit: 4,
        window: '1m',
        client: () => ({ plain: 'a' }),
        ...policy,
      })),
      store,
      clock,
      onStoreEvent() {},
    })
    const check = () => limiter.check(new Request('https://example.com/'))
    return { state, limiter, check }
  }

  test('open: requests pass, and get no field with a number', async () => {
    const { state, limiter, check } = limiterOf([{ fallback: 'open' }])
    state.mode = 'refused'
    for (let n = 0; n < 20; n++) {
      const decision = await check()
      expect(decision).toMatchObject({ allowed: true, source: 'open', degraded: true })
      expect(limiter.headers(decision)).toEqual({})
    }
  })

  test('closed: requests get 503 with the draft’s problem type and Retry-After', async () => {
    const { state, limiter, check } = limiterOf([{ fallback: 'closed' }])
    state.mode = 'refused'
    const decision = await check()
    expect(decision).toMatchObject({ allowed: false, source: 'closed', degraded: true })
    const response = limiter.refuse(decision)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(response.headers.get('ratelimit')).toBeNull()
    expect(await response.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    })
  })

  test('a share: this isolate grants that part of what it has not seen used, at least one', async () => {
    const { state, check } = limiterOf([{ limit: 40, fallback: { local: 0.25 } }])
    for (let n = 0; n < 20; n++) await check()
    state.mode = 'refused'
    const decisions = []
    for (let n = 0; n < 20; n++) decisions.push((await check()).allowed)
    expect(decisions.filter(Boolean)).toHaveLength(5)
    const few = limiterOf([{ limit: 2, fallback: { local: 0.25 } }])
    few.state.mode = 'refused'
    expect([(await few.check()).allowed, (await few.check()).allowed]).toEqual([true, false])
  })

  test('of several policies: known exhausted, then closed, then those that count, then open', async () => {
    const { state, check } = limiterOf([{ limit: 2 }, { limit: 9, fallback: 'closed' }])
    await check()
    state.mode = 'refused'
    expect(await check()).toMatchObject({ allowed: false, source: 'closed' })
    state.mode = 'up'
    const mixed = limiterOf([{ limit: 2 }, { limit: 1, fallback: 'open' }])
    mixed.state.mode = 'refused'
    const sources = []
    for (let n = 0; n < 3; n++) {
      const { allowed, source } = await mixed.check()
      sources.push([allowed, source])
    }
    expect(sources).toEqual([
      [true, 'local'],
      [true, 'local'],
      [false, 'local'],
    ])
  })

  test('a client who is known to be exhausted stays refused with 429, whatever the fallback', async () => {
    for (const fallback of ['local', 'open', 'closed'] as const) {
      const { state, limiter, check } = limiterOf([{ limit: 2, fallback }])
      for (let n = 0; n < 3; n++) await check()
      state.mode = 'refused'
      const decision = await check()
      expect(decision).toMatchObject({ allowed: false, source: 'known' })
      expect(limiter.refuse(decision).status).toBe(429)
    }
  })

  for (const fallback of ['shut', 0.25, { local: 0 }, { local: 2 }, { share: 1 }, null]) {
    test(`${JSON.stringify(fallback)} is an error that names the option`, () => {
      expect(() => limiterOf([{ fallback: fallback as never }])).toThrow(/^policies\[0\]\.fallback/)
    })
  }
})

test('a limiter whose store another limiter has found away reports it to its own listener', async () => {
  const { clock, state, store } = unreliable()
  const reports: string[] = []
  const limiterOf = (name: string) =>
    createLimiter({
      name,
      limit: 1,
      window: '1m',
      client: () => ({ plain: 'a' }),
      store,
      clock,
      onStoreEvent: (event) => reports.push(`${name}: ${event.type}`),
    })
  state.mode = 'refused'
  for (const name of ['one', 'two']) {
    const limiter = limiterOf(name)
    for (let n = 0; n < 3; n++) await limiter.check(new Request('https://example.com/'))
  }
  expect(reports).toEqual(['one: away', 'two: away'])
  state.mode = 'up'
  clock.advance(60_000)
  for (let n = 0; n < 2; n++) {
    await limiterOf('three').check(new Request('https://example.com/'))
    await pause(0)
  }
  expect(reports.slice(2)).toEqual(['three: away', 'one: back', 'two: back', 'three: back'])
})
