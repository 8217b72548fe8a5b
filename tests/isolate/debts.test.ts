/** What an isolate owes: what it claims and names, and when its own count of a key ends. */
import { describe, expect, test } from 'vitest'
import { type Demand, type Store, StoreError } from '../../src/index.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const LIMIT = 100
const demand: Demand = { policy: '', client: 'a', limit: LIMIT, window: 60_000, cost: 1 }
const other: Demand = { ...demand, client: 'b' }
const loading = () => new StoreError('rejected', 'LOADING', { mayHaveCounted: false })

async function granted(store: Store, checks: number): Promise<number> {
  let sum = 0
  for (let n = 0; n < checks; n++) sum += (await store.take([demand]))[0]?.granted ?? 0
  return sum
}

/** An isolate that has granted units of a client while its store was away. */
async function away(units: number) {
  const scripted = scriptedStore()
  const { clock, state, guarded } = scripted
  const [one, works] = [guarded(), background(clock)]
  /** Another client is answered, and the background charges what is owed. */
  const recover = async () => {
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([other], works)
    await works.settle()
  }
  state.outcome = refused
  expect(await granted(one, units)).toBe(Math.min(units, LIMIT))
  return { ...scripted, one, works, recover }
}

describe('a debt', () => {
  test('is none of a request that was refused: its probe only looks', async () => {
    const { calls, clock, one } = await away(LIMIT)
    clock.advance(1000)
    calls.length = 0
    await one.take([demand])
    expect(calls).toMatchObject([[{ cost: 0, owed: undefined }]])
  })

  test('has a name of its own, since it may open a window of units that are settled', async () => {
    const { calls, clock, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    await one.take([{ ...demand, settling: 'of the request' }])
    state.outcome = () => 'up'
    clock.advance(1000)
    calls.length = 0
    await one.take([other], works)
    await flush()
    const [charge] = calls.flat().filter(({ client }) => client === 'a')
    expect(charge?.settling).toMatch(/^[\da-f-]{36}$/)
  })

  test('is left as it is by the probe of another limiter’s open policy', async () => {
    const { clock, guarded, used, recover } = await away(5)
    clock.advance(1000)
    await guarded({ policies: new Map([['', { fallback: 'open' }]]) }).take([demand])
    await flush()
    await recover()
    // The unit of the open policy was sent in a call that was refused.
    expect(await used(demand)).toBe(5)
  })

  test('that the server refuses is as old as before: a younger window is not charged', async () => {
    const { clock, state, near, one, works, used, recover } = await away(5)
    clock.advance(2000)
    await near.take([demand])
    clock.advance(1000)
    const failing = clock()
    state.outcome = ([first]) => (first?.client === 'b' ? 'up' : loading())
    await one.take([other], works)
    await flush()
    expect(clock()).toBe(failing)
    clock.advance(3000)
    await recover()
    expect(await used(demand)).toBe(1)
  })

  test('that the server refuses late is not younger for that', async () => {
    const { calls, clock, state, one, works, recover } = await away(5)
    clock.advance(1000)
    let refuse = () => {}
    const late = new Promise<void>((_, reject) => {
      refuse = () => reject(loading())
    })
    state.outcome = ([first]) => (first?.client === 'b' ? 'up' : late)
    await one.take([other], works)
    await flush()
    clock.advance(900)
    refuse()
    await flush()
    calls.length = 0
    await recover()
    const [charge] = calls.flat().flatMap(({ owed }) => (owed && owed.units > 1 ? [owed] : []))
    expect(charge?.age).toBe(2900)
  })

  test('names a time before now, and no window longer than its policy’s, if the clock was set back', async () => {
    const { calls, clock, recover } = await away(5)
    clock.advance(-3_600_000)
    calls.length = 0
    await recover()
    expect(calls.flat()).toContainEqual(
      expect.objectContaining({ owed: { units: 5, age: 0, rest: 60_000 } }),
    )
  })

  test('is not sent to a server of its own that may not answer: the probe only looks', async () => {
    const { clock, state, guarded, used } = scriptedStore({ oneClient: true })
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    expect(await granted(one, 5)).toBe(5)
    state.outcome = ([first]) => (first?.client === 'b' ? 'up' : 'hang')
    clock.advance(1000)
    await one.take([other], works)
    await flush()
    clock.advance(1000)
    await flush()
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([other], works)
    await works.settle()
    expect(await used(demand)).toBe(5)
  })

  test('ends when its client is reset', async () => {
    const { clock, state, guarded, used } = scriptedStore({ reset: async () => {} })
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    expect(await granted(one, 5)).toBe(5)
    await one.reset?.([demand])
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([other], works)
    await works.settle()
    expect(await used(demand)).toBe(0)
  })

  test('of a window that has ended is not reported as one that will be charged', async () => {
    const { clock, state, guarded } = scriptedStore()
    const owed: unknown[] = []
    const one = guarded({
      onStoreEvent: (event) =>
        void (event.type === 'back' && owed.push([event.owed, event.decided])),
    })
    state.outcome = refused
    await one.take([{ ...demand, window: 500 }])
    await one.take([other])
    // A look is no request that was decided.
    await one.take([{ ...other, cost: 0 }])
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([{ ...demand, client: 'c' }])
    await flush()
    expect(owed).toEqual([[1, 3]])
  })
})

describe('the count of this isolate', () => {
  test('owes nothing for a request that met its deadline', async () => {
    const { clock, state, guarded, used } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    for (let n = 0; n < 2; n++) {
      state.outcome = ([first]) => (first?.client === 'b' ? 'up' : 'hang')
      const slow = one.take([demand], works)
      clock.advance(1000)
      expect(await slow).toMatchObject([{ granted: 1, source: 'local' }])
      state.outcome = () => 'up'
      clock.advance(1000)
      await one.take([other], works)
      await works.settle()
    }
    expect(await used(demand)).toBe(0)
  })

  test('outlives the window that it continues, until the end that clients are told', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    const daily = { ...demand, limit: 10, window: 86_400_000 }
    await one.take([{ ...daily, cost: 5 }])
    state.outcome = refused
    await one.take([{ ...daily, cost: 3 }])
    // Within the thousandth of the day by which two clocks may drift apart.
    clock.advance(86_400_000 - 50_000)
    expect(await one.take([{ ...daily, cost: 3 }])).toMatchObject([{ granted: 0, used: 8 }])
    expect(await one.take([{ ...daily, cost: 2 }])).toMatchObject([{ granted: 2, used: 10 }])
  })

  test('of an outage that is over hides no window that was seen since', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    const daily = { ...demand, limit: 10, window: 86_400_000 }
    state.outcome = () => 'hang'
    const slow = one.take([daily])
    clock.advance(1000)
    await slow
    clock.advance(daily.window)
    state.outcome = () => 'up'
    await one.take([other])
    await flush()
    await one.take([{ ...daily, cost: 4 }])
    state.outcome = refused
    clock.advance(86_400_000 - 50_000)
    expect(await one.take([{ ...daily, cost: 7 }])).toMatchObject([{ granted: 0, source: 'local' }])
  })

  test('contains once what the store has counted late', async () => {
    const { clock, state, near, guarded } = scriptedStore()
    const one = guarded()
    state.outcome = () => 'hang'
    const slow = one.take([{ ...demand, cost: 10 }])
    clock.advance(1000)
    await slow
    await near.take([{ ...demand, cost: 10 }])
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([other])
    await flush()
    expect(await one.take([{ ...demand, cost: 0 }])).toMatchObject([{ used: 10 }])
    state.outcome = refused
    expect(await granted(one, 150)).toBe(90)
  })

  test('does not contain what the store has refused', async () => {
    const { clock, state, near, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = () => 'hang'
    const slow = one.take([{ ...demand, cost: 5 }], works)
    clock.advance(1000)
    await slow
    await near.take([{ ...demand, cost: 50 }])
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([other], works)
    await works.settle()
    expect(await one.take([{ ...demand, cost: 60 }])).toMatchObject([{ granted: 0, used: 50 }])
    expect(await one.take([{ ...demand, cost: 40 }])).toMatchObject([{ granted: 40, used: 90 }])
  })

  test('ends once the store has counted its units: an evicted key is a fresh window', async () => {
    const { near, one, recover } = await away(60)
    await recover()
    await near.reset?.([demand])
    expect(await granted(one, 150)).toBe(LIMIT)
  })

  test('goes on while the store has lost what it had shown', async () => {
    const { clock, state, near, one, works } = await away(0)
    state.outcome = () => 'up'
    await granted(one, 50)
    state.outcome = refused
    await granted(one, 30)
    await near.reset?.([demand])
    clock.advance(1000)
    // Another isolate has opened the next window, which is too young to be charged.
    for (let n = 0; n < 35; n++) await near.take([demand])
    state.outcome = () => 'up'
    await one.take([other], works)
    await works.settle()
    expect(await granted(one, 100)).toBe(20)
    expect(await one.take([demand])).toMatchObject([{ granted: 0, used: LIMIT, source: 'known' }])
  })
})

test('a cost of 0 passes while the store is away, also if the limit has been lowered below the count', async () => {
  const { state, guarded } = scriptedStore()
  const one = guarded()
  for (let n = 0; n < 80; n++) await one.take([demand])
  state.outcome = refused
  const looks = await one.take([
    { ...demand, limit: 50, cost: 0 },
    { ...demand, policy: 'q' },
  ])
  expect(looks).toMatchObject([{ retryIn: 0 }, { granted: 1 }])
})
