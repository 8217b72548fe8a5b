import { describe, expect, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import { guard, memory, type Store, StoreError } from '../../src/index.ts'
import { createLimiter } from '../../src/limiter/limiter.ts'
import { settling } from '../../src/settling/settling.ts'
import { manualClock } from '../../src/testing/index.ts'
import { flush } from '../support/scripted-store.ts'

const CLIENT = { plain: 'a' }

/** Two isolates over one remote store that can go away, and may lose the answers of settlements. */
function isolates(limit = 10) {
  const clock = manualClock()
  const inner = settling(memory({ clock }))
  const state = {
    isAway: false,
    losesAnswers: false,
    /** When the next call of the client gives up without an answer. */
    losesTake: undefined as Promise<void> | undefined,
  }
  const calls: string[] = []
  const store = (): Store => {
    const remote: Store = {
      guard,
      async take(demands) {
        calls.push('take')
        const { losesTake } = state
        if (losesTake && demands[0]?.client === CLIENT.plain) {
          state.losesTake = undefined
          await losesTake
          throw new StoreError('timeout', 'no answer')
        }
        if (state.isAway) throw new StoreError('unreachable', 'away', { mayHaveCounted: false })
        return inner.take(demands)
      },
      async settle(settlements) {
        calls.push('settle')
        if (state.isAway) throw new StoreError('unreachable', 'away')
        const changed = (await inner.settle?.(settlements)) ?? []
        if (state.losesAnswers) throw new StoreError('unreachable', 'the answer is lost')
        return changed
      },
      reset: async (keys) => inner.reset?.(keys),
    }
    return settling(remote)
  }
  const work: Promise<unknown>[] = []
  const waitUntil = (one: Promise<unknown>) => void work.push(one)
  const options = { limit, window: '1m', settle: true, clock, timer: clock.timer } as const
  const [one, other] = [store(), store()].map((store) =>
    createLimiter({ ...options, store, onStoreEvent: () => {} }),
  )
  if (one === undefined || other === undefined) throw new Error('no limiter')
  const used = async () => (await inner.take([look]))[0]?.used
  return { clock, state, calls, one, other, waitUntil, used, done: () => Promise.all(work) }
}
const look = { policy: '', client: 'a', limit: 1e6, window: 60_000, cost: 0, settling: 'look' }

describe('a policy that settles, while its store is away', () => {
  test('counts from what it has last seen, reserved units included', async () => {
    const { one, state } = isolates(10)
    await one.take(CLIENT, { cost: 7 })
    state.isAway = true
    const allowed = []
    for (let n = 0; n < 5; n++) allowed.push((await one.take(CLIENT)).allowed)
    expect(allowed).toEqual([true, true, true, false, false])
  })

  test('gives nothing back of what was granted here, and charges it once', async () => {
    const { one, state, clock, waitUntil, done, used } = isolates(10)
    await one.take(CLIENT, { cost: 2, waitUntil })
    state.isAway = true
    const local = await one.take(CLIENT, { cost: 3, waitUntil })
    expect(local).toMatchObject({ allowed: true, degraded: true })
    expect(local.receipt).toBeUndefined()
    expect(await one.settle(local, 0)).toBe(false)
    state.isAway = false
    for (let n = 0; n < 8; n++) {
      clock.advance(1000)
      await one.peek(CLIENT)
      await one.take(CLIENT, { cost: 0, waitUntil })
      await done()
    }
    expect(await used()).toBe(5)
  })

  test('is counted by the store alone once it has been charged', async () => {
    const { one, state, clock, waitUntil, done } = isolates(10)
    state.isAway = true
    await one.take(CLIENT, { cost: 8, waitUntil })
    state.isAway = false
    clock.advance(1000)
    await one.take({ plain: 'b' }, { waitUntil })
    await done()
    for (let n = 0; n < 5; n++) {
      const decision = await one.take(CLIENT, { cost: 2, waitUntil })
      expect(decision).toMatchObject({ allowed: true, source: 'store' })
      await one.settle(decision, 0)
    }
  })

  test('is counted by the store alone after a call that got no answer', async () => {
    const { one, state, waitUntil } = isolates(10)
    await one.take(CLIENT, { waitUntil })
    state.losesTake = flush(50)
    const lost = one.take(CLIENT, { waitUntil })
    // The store answers others meanwhile, so it is not away.
    await one.take({ plain: 'b' }, { waitUntil })
    await lost
    for (let n = 0; n < 15; n++) {
      const decision = await one.take(CLIENT, { waitUntil })
      expect(decision).toMatchObject({ allowed: true, source: 'store' })
      await one.settle(decision, 0)
    }
  })

  test('settles later what was reserved before', async () => {
    const { one, state, clock, waitUntil, done, used } = isolates(10)
    const before = await one.take(CLIENT, { cost: 6, waitUntil })
    state.isAway = true
    expect(await one.settle(before, 1)).toBe(false)
    state.isAway = false
    clock.advance(2000)
    await one.take(CLIENT, { waitUntil })
    await done()
    expect(await used()).toBe(2)
  })
})

describe('settlements to a store that is away', () => {
  test('are sent one at a time, and all of them once the store is back', async () => {
    const { one, state, clock, calls, waitUntil, done, used } = isolates(100)
    const decisions = []
    for (let n = 0; n < 20; n++) decisions.push(await one.take(CLIENT, { cost: 3, waitUntil }))
    state.isAway = true
    await one.take(CLIENT, { waitUntil })
    const before = calls.length
    const changed = await Promise.all(decisions.map((decision) => one.settle(decision, 1)))
    expect(changed).toEqual(Array(20).fill(false))
    expect(calls.slice(before)).toEqual(['settle'])
    state.isAway = false
    for (let n = 0; n < 3; n++) {
      clock.advance(2000)
      await one.take(CLIENT, { cost: 0, waitUntil })
      await done()
    }
    // The unit that was granted while the store was away is charged, too.
    expect(await used()).toBe(20 + 1)
  })
})

describe('a settlement', () => {
  test('that the store always rejects is sent eight times', async () => {
    const { one, state, clock, calls, waitUntil, done } = isolates(100)
    const decision = await one.take(CLIENT, { cost: 3, waitUntil })
    state.losesAnswers = true
    await one.settle(decision, 5)
    for (let n = 0; n < 20; n++) {
      clock.advance(2000)
      await one.take(CLIENT, { cost: 0, waitUntil })
      await done()
    }
    expect(calls.filter((call) => call === 'settle')).toHaveLength(8)
  })

  test('that was lost is sent again on a server that passes no waitUntil', async () => {
    const { one, state, clock, used } = isolates(10)
    const decision = await one.take(CLIENT, { cost: 2 })
    state.isAway = true
    await one.settle(decision, 7)
    state.isAway = false
    clock.advance(2000)
    await one.take(CLIENT)
    await new Promise((resolve) => setTimeout(resolve, 5))
    // Other hosts end the request, and with it what nothing keeps alive.
    expect(await used()).toBe(detectPlatform() === 'server' ? 8 : 3)
  })

  test('that was lost is sent again also if the clock was set back', async () => {
    const { one, state, clock, waitUntil, done, used } = isolates(10)
    const decision = await one.take(CLIENT, { cost: 6, waitUntil })
    state.losesAnswers = true
    expect(await one.settle(decision, 8)).toBe(false)
    state.losesAnswers = false
    clock.advance(-3_600_000)
    const next = await one.take(CLIENT, { cost: 2, waitUntil })
    await done()
    expect([next.allowed, await used()]).toEqual([true, 10])
  })

  test('whose answer is lost is repeated, and counts once', async () => {
    const { one, state, clock, waitUntil, done, used } = isolates(10)
    const decision = await one.take(CLIENT, { cost: 6, waitUntil })
    state.losesAnswers = true
    expect(await one.settle(decision, 1)).toBe(false)
    state.losesAnswers = false
    clock.advance(2000)
    await one.take(CLIENT, { waitUntil })
    await done()
    expect(await used()).toBe(2)
  })

  test('of a receipt counts once, in whatever isolates it is settled', async () => {
    const { one, other, used } = isolates(10)
    const { receipt = '' } = await one.take(CLIENT, { cost: 6 })
    const changed = await Promise.all([one.settle(receipt, 2), other.settle(receipt, 2)])
    expect([changed.filter(Boolean).length, await used()]).toEqual([1, 2])
  })

  test('that races a reset gives no unit to the next window', async () => {
    const { one, other, used } = isolates(10)
    const decision = await one.take(CLIENT, { cost: 6 })
    await Promise.all([other.reset(CLIENT), one.settle(decision, 0)])
    await other.take(CLIENT, { cost: 4 })
    await one.settle(decision, 0)
    expect(await used()).toBe(4)
  })
})

describe('an isolate', () => {
  test('asks the store while only reserved units refuse a client, and refuses by itself once they are settled', async () => {
    const { one, other, calls } = isolates(4)
    const decision = await one.take(CLIENT, { cost: 4 })
    for (let n = 0; n < 3; n++) expect((await other.take(CLIENT)).source).toBe('store')
    await one.settle(decision, 4)
    expect((await other.take(CLIENT)).source).toBe('store')
    const before = calls.length
    for (let n = 0; n < 3; n++) expect((await other.take(CLIENT)).source).toBe('known')
    expect(calls).toHaveLength(before)
  })

  test('that knows a client to be exhausted refuses it after a reset elsewhere, until the window ends', async () => {
    const { one, other, clock } = isolates(4)
    const decision = await one.take(CLIENT, { cost: 4 })
    await one.settle(decision, 4)
    await other.take(CLIENT)
    await one.reset(CLIENT)
    expect(await one.take(CLIENT)).toMatchObject({ allowed: true, source: 'store' })
    expect(await other.take(CLIENT)).toMatchObject({ allowed: false, source: 'known' })
    clock.advance(60_003)
    expect(await other.take(CLIENT)).toMatchObject({ allowed: true })
  })
})
