/** A store that comes back, stays away, or is away for some keys only: what an isolate must not do. */
import { describe, expect, test } from 'vitest'
import { createLimiter, type Demand, type Store, StoreError } from '../../src/index.ts'
import type { Grant, TakeOptions } from '../../src/stores/store.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const LIMIT = 100
const demand: Demand = { policy: '', client: 'a', limit: LIMIT, window: 60_000, cost: 1 }
const of = (client: string): Demand => ({ ...demand, client })
const request = () => new Request('https://example.com/')
const keyError = () => new StoreError('rejected', 'WRONGTYPE', { scope: 'key' })

async function granted(store: Store, checks: number, options?: TakeOptions): Promise<number> {
  let sum = 0
  for (let n = 0; n < checks; n++) sum += (await store.take([demand], options))[0]?.granted ?? 0
  return sum
}

describe('a recovery that does not last', () => {
  for (const charge of ['refused', 'hanging'] as const) {
    test(`does not make the isolate forget what it granted: the charge is ${charge}`, async () => {
      const { clock, state, guarded } = scriptedStore()
      const [one, works] = [guarded(), background(clock)]
      state.outcome = refused
      let sum = await granted(one, 150)
      for (let flap = 0; flap < 5; flap++) {
        clock.advance(1000)
        const failure = charge === 'refused' ? refused() : 'hang'
        state.outcome = ([first]) => ((first?.owed?.units ?? 0) > 1 ? failure : 'up')
        sum += await granted(one, 1, works)
        await flush()
        clock.advance(1000)
        await flush()
        state.outcome = refused
        sum += await granted(one, 150)
      }
      expect(sum).toBeLessThanOrEqual(LIMIT)
    })
  }

  test('leaves the debts to the next one if the server has refused the charge', async () => {
    const { clock, state, guarded, used } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    for (let n = 0; n < 20; n++) await one.take([of(`c${n}`)])
    clock.advance(1000)
    const loading = new StoreError('rejected', 'LOADING', { mayHaveCounted: false })
    state.outcome = (demands) => (demands.length > 1 || demands[0]?.owed?.age ? loading : 'up')
    await one.take([of('b')], works)
    await flush()
    state.outcome = () => 'up'
    clock.advance(2000)
    await one.take([of('b')], works)
    await works.settle()
    for (let n = 0; n < 20; n++) expect(await used(of(`c${n}`))).toBe(1)
  })
})

describe('debts', () => {
  test('are overtaken by no request of their client while they are charged', async () => {
    const { clock, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    expect(await granted(one, 150)).toBe(LIMIT)
    clock.advance(1000)
    // After a restart a script takes two trips, a count takes one.
    state.outcome = ([first]) => ((first?.owed?.units ?? 0) > 1 ? flush(50) : 'up')
    await one.take([of('b')], works)
    await flush(3)
    const grants = await Promise.all(Array.from({ length: 80 }, () => one.take([demand], works)))
    expect(grants.filter(([grant]) => grant?.granted)).toEqual([])
  })

  test('are charged in the call of the request: it waits for one deadline', async () => {
    const { clock, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    // Another client is answered, so the breaker stays closed.
    state.outcome = ([first]) => (first?.client === 'a' ? 'hang' : 'up')
    const first = one.take([demand], works)
    await one.take([of('b')], works)
    clock.advance(1000)
    await first
    const began = clock()
    let waited = 0
    const second = one.take([demand], works).then(() => {
      waited = clock() - began
    })
    for (let n = 0; n < 100 && waited === 0; n++) {
      clock.advance(50)
      await one.take([of('b')], works)
      await flush()
    }
    await second
    expect(waited).toBeLessThanOrEqual(1050)
  })

  test('of one key that the server refuses do not hold up those of others', async () => {
    const { clock, state, guarded, used } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    for (let n = 0; n < 100; n++) await one.take([of(`c${n}`)])
    clock.advance(1000)
    state.outcome = (demands) =>
      demands.some(({ client }) => client === 'c50') ? keyError() : 'up'
    await one.take([of('b')], works)
    await works.settle()
    let charged = 0
    for (let n = 0; n < 100; n++) charged += await used(of(`c${n}`))
    expect(charged).toBe(99)
  })

  test('are charged key by key where a server refuses calls for several keys', async () => {
    const { clock, calls, state, guarded, used } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    for (let n = 0; n < 5; n++) await one.take([of(`c${n}`)])
    clock.advance(1000)
    const proxy = new StoreError('rejected', 'ERR several servers', { mayHaveCounted: false })
    state.outcome = (demands) => (demands.length > 1 ? proxy : 'up')
    await one.take([of('b')], works)
    await works.settle()
    for (let n = 0; n < 5; n++) expect(await used(of(`c${n}`))).toBe(1)
    expect(calls.filter((demands) => demands.length > 1)).toHaveLength(1)
    const [grant] = await one.take([of('c0')], works)
    expect(grant?.source ?? 'store').toBe('store')
  })

  test('are charged by the background if one key of their client owes nothing', async () => {
    const { clock, state, guarded, used } = scriptedStore({ oneClient: true })
    const [one, works] = [guarded(), background(clock)]
    await one.take([demand], works)
    state.outcome = () => 'hang'
    const lost = one.take([demand], works)
    clock.advance(1000)
    await lost
    clock.advance(1000)
    const owing = { ...demand, policy: 'owing' }
    state.outcome = () => new StoreError('rejected', 'LOADING', { mayHaveCounted: false })
    expect(await one.take([owing], works)).toMatchObject([{ granted: 1, source: 'local' }])
    await flush()
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([of('b')], works)
    await works.settle()
    expect(await used(owing)).toBe(1)
  })

  test('of a call that met its deadline are none: the server may yet count it', async () => {
    const { clock, state, guarded, near, used } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = () => 'hang'
    const slow = Promise.all(Array.from({ length: 50 }, () => one.take([demand], works)))
    clock.advance(1000)
    await slow
    for (let n = 0; n < 50; n++) await near.take([demand])
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([of('b')], works)
    await works.settle()
    expect(await used(demand)).toBe(50)
  })

  test('are as old as when a refill of a lease charges them, also if its request has waited', async () => {
    const { clock, calls, state, guarded } = scriptedStore()
    const [one, works] = [
      guarded({ policies: new Map([['', { ahead: 2000 }]]) }),
      background(clock),
    ]
    const hot = { ...demand, limit: 1000 }
    for (let n = 0; n < 100; n++) {
      await one.take([hot], works)
      clock.advance(10)
    }
    state.outcome = ([first]) => (first?.client === 'a' ? keyError() : 'up')
    expect(await one.take([{ ...hot, cost: 50 }])).toMatchObject([{ source: 'local' }])
    // The background gives the key up.
    await one.take([of('b')], works)
    await flush()
    clock.advance(100)
    const other = { ...of('a'), policy: 'other' }
    state.outcome = ([first]) => (first?.policy === 'other' ? flush(50) : 'up')
    calls.length = 0
    const waiting = one.take([hot, other], works)
    clock.advance(500)
    await waiting
    await flush()
    const charges = calls.flat().flatMap(({ owed, reserve = 0 }) => (reserve > 0 ? [owed] : []))
    expect(charges).toMatchObject([{ units: 50, age: 600 }])
  })

  test('are bounded, also if no outage ends them', async () => {
    const { clock, state, guarded, calls } = scriptedStore()
    const one = guarded()
    state.outcome = ([first]) => (first?.client === 'b' ? 'up' : refused())
    for (let n = 0; n < 100; n++) {
      const good = one.take([of('b')])
      await one.take([of(`c${n}`)])
      await good
    }
    clock.advance(60_000)
    calls.length = 0
    const works = background(clock)
    await one.take([of('b')], works)
    await works.settle()
    // Their windows have ended.
    expect(calls).toHaveLength(1)
  })
})

describe('the count of this isolate', () => {
  test('goes on in a window that is longer than the policy’s', async () => {
    const { state, guarded } = scriptedStore()
    const [hour, minute] = [guarded(), guarded()]
    await hour.take([{ ...demand, limit: 1000, window: 3_600_000 }])
    state.outcome = refused
    let sum = 0
    for (let n = 0; n < 500; n++) {
      sum += (await minute.take([{ ...demand, limit: 10 }]))[0]?.granted ?? 0
    }
    expect(sum).toBeLessThanOrEqual(10)
    const [refusal] = await minute.take([{ ...demand, limit: 10 }])
    expect(refusal?.retryIn).toBeLessThanOrEqual(60_000)
  })

  test('of an exhausted client lasts until the end that the client was told', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    const daily = { ...demand, limit: 5, window: 86_400_000 }
    for (let n = 0; n < 6; n++) await one.take([daily])
    state.outcome = refused
    // Within the thousandth of the day by which two clocks may drift apart.
    clock.advance(86_400_000 - 80_000)
    for (let n = 0; n < 10; n++) expect((await one.take([daily]))[0]?.granted).toBe(0)
    clock.advance(80_000)
    expect((await one.take([daily]))[0]?.granted).toBe(1)
  })

  test('refuses nobody once the clock was set back by more than its window', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    clock.advance(10_000_000)
    state.outcome = () => 'hang'
    const all = Array.from({ length: LIMIT }, () => one.take([demand]))
    clock.advance(1000)
    await Promise.all(all)
    clock.advance(-3_600_000)
    state.outcome = () => 'up'
    await one.take([of('b')])
    await flush()
    expect(await one.take([demand])).toMatchObject([{ granted: 1, used: 1 }])
  })

  test('is opened by no look', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    state.outcome = refused
    expect(await one.take([{ ...demand, cost: 0 }])).toMatchObject([{ granted: 0, used: 0 }])
    clock.advance(30_000)
    expect(await one.take([demand])).toMatchObject([{ granted: 1, resetIn: 60_000 }])
  })
})

describe('the breaker', () => {
  test('probes again after the clock was set back within an outage', async () => {
    const { clock, calls, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    for (let n = 0; n < 3600; n++) {
      clock.advance(1000)
      await one.take([demand], works)
    }
    clock.advance(-1_800_000)
    state.outcome = () => 'up'
    const before = calls.length
    for (let n = 0; n < 120; n++) {
      clock.advance(1000)
      await one.take([demand], works)
    }
    expect(calls.length).toBeGreaterThan(before)
  })

  test('that opens releases the requests that were sent after the oldest one', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    state.outcome = () => 'hang'
    const waits: number[] = []
    for (let n = 0; n < 20; n++) {
      const sent = clock()
      one.take([of(`c${n}`)]).then(() => waits.push(clock() - sent))
      clock.advance(50)
      await flush()
    }
    clock.advance(5)
    await flush()
    // The oldest waited for the deadline, and each later one 50 ms less.
    expect(waits).toHaveLength(20)
    expect(Math.max(...waits)).toBe(1000)
    expect(waits.at(-1)).toBe(55)
  })

  test('releases no request where there is none', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded({ breaker: false })
    state.outcome = () => 'hang'
    const lost = one.take([of('a')])
    clock.advance(900)
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    state.outcome = () => answered
    const late = one.take([of('b')])
    clock.advance(100)
    await lost
    clock.advance(100)
    await flush()
    answer()
    expect((await late)[0]?.source ?? 'store').toBe('store')
  })

  test('leaves requests alone that were sent after an answer', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    state.outcome = ([first]) => (first?.client === 'b' ? 'up' : 'hang')
    const first = one.take([of('a')])
    clock.advance(500)
    await one.take([of('b')])
    const started = clock()
    const second = one.take([of('c')]).then(() => clock() - started)
    clock.advance(500)
    await first
    clock.advance(500)
    expect(await second).toBe(1000)
  })

  test('closes for a policy whose limit is one unit after the server has rejected writes', async () => {
    const { clock, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    const single = (client: string) => ({ ...of(client), limit: 1 })
    state.outcome = () => new StoreError('rejected', 'LOADING', { mayHaveCounted: false })
    await one.take([single('a')], works)
    state.outcome = () => 'up'
    clock.advance(1000)
    await one.take([single('b')], works)
    await flush()
    expect((await one.take([single('c')], works))[0]?.source ?? 'store').toBe('store')
  })

  test('is probed by no request that has no unit to count after the server has rejected writes', async () => {
    const { clock, calls, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    const small = { ...demand, limit: 1 }
    state.outcome = () => new StoreError('rejected', 'OOM', { mayHaveCounted: false })
    await one.take([small], works)
    calls.length = 0
    state.outcome = () => 'up'
    for (let n = 0; n < 20; n++) {
      clock.advance(100)
      await one.take([small], works)
    }
    expect(calls).toHaveLength(0)
    await one.take([of('another')], works)
    await flush()
    expect((await one.take([of('another')], works))[0]?.source ?? 'store').toBe('store')
  })

  test('stays closed at errors about the keys of one call', async () => {
    const { clock, state, guarded } = scriptedStore()
    const one = guarded()
    state.outcome = ([first]) => (first?.client === 'bad' ? keyError() : 'up')
    for (let n = 0; n < 100; n++) {
      clock.advance(1)
      expect((await one.take([of('bad')]))[0]?.source).toBe('local')
    }
    expect((await one.take([of('good')]))[0]?.source ?? 'store').toBe('store')
  })

  test('closes at such an error, which is an answer', async () => {
    const { clock, state, guarded } = scriptedStore()
    const [one, works] = [guarded(), background(clock)]
    state.outcome = refused
    await one.take([demand], works)
    clock.advance(1000)
    state.outcome = keyError
    await one.take([of('bad')], works)
    await flush()
    state.outcome = () => 'up'
    expect((await one.take([of('good')], works))[0]?.source ?? 'store').toBe('store')
  })

  test('of one backend leaves the clients of others alone, and asks one client for all of its own', async () => {
    const backendOf = (client: string) => client.slice(0, 1)
    const { calls, clock, state, guarded } = scriptedStore({ oneClient: true, backendOf })
    const one = guarded()
    state.outcome = ([first]) => (first?.client.startsWith('x') ? 'hang' : 'up')
    const first = one.take([of('x0')])
    clock.advance(1000)
    await first
    for (let n = 1; n < 50; n++) await one.take([of(`x${n}`)])
    expect(calls).toHaveLength(1)
    expect((await one.take([of('y0')]))[0]?.source ?? 'store').toBe('store')
  })
})

describe('the outage of a store with several backends', () => {
  test('is reported once, and ends when the last of them is back', async () => {
    const { clock, state, guarded } = scriptedStore({ oneClient: true })
    const events: string[] = []
    const one = guarded({ onStoreEvent: ({ type }) => events.push(type) })
    const works = background(clock)
    const all = Array.from({ length: 20 }, (_, n) => of(`c${n}`))
    state.outcome = refused
    for (const each of all) await one.take([each], works)
    for (const each of all.slice(0, 19)) {
      state.outcome = ([first]) => (first?.client === 'c19' ? refused() : 'up')
      clock.advance(1000)
      await one.take([each], works)
      await flush()
    }
    expect(events.filter((type) => type !== 'failed')).toEqual(['away'])
    state.outcome = () => 'up'
    clock.advance(20_000)
    await one.take([of('c19')], works)
    await flush()
    expect(events.filter((type) => type !== 'failed')).toEqual(['away', 'back'])
  })

  test('is not prolonged by a backend that nobody needs any more', async () => {
    const { clock, state, guarded } = scriptedStore({ oneClient: true })
    const events: string[] = []
    const one = guarded({ onStoreEvent: ({ type }) => events.push(type) })
    state.outcome = refused
    await one.take([of('gone')])
    await one.take([of('b')])
    state.outcome = ([first]) => (first?.client === 'gone' ? refused() : 'up')
    clock.advance(400_000)
    await one.take([of('b')])
    await flush()
    expect(events.at(-1)).toBe('back')
  })

  test('ends also if the clients of a backend that is gone are served by another one', async () => {
    const nodes = new Map([['a', 'x']])
    const backendOf = (client: string) => nodes.get(client) ?? 'y'
    const { clock, state, guarded } = scriptedStore({ oneClient: true, backendOf })
    const events: string[] = []
    const one = guarded({ onStoreEvent: ({ type }) => events.push(type) })
    state.outcome = refused
    await one.take([of('a')])
    state.outcome = () => 'up'
    nodes.clear()
    clock.advance(200_000)
    await one.take([of('a')])
    expect(events).toEqual(['away'])
    clock.advance(200_000)
    await one.take([of('a')])
    state.outcome = refused
    await one.take([of('a')])
    expect(events).toEqual(['away', 'back', 'away'])
  })
})

describe('a closed policy', () => {
  const closedLimiter = () => {
    const { clock, state, store } = scriptedStore()
    const client = () => ({ plain: 'a' })
    const limiter = createLimiter({
      limit: 1000,
      window: '1m',
      fallback: 'closed',
      client,
      store,
      clock,
      timer: clock.timer,
      onStoreEvent() {},
    })
    return { clock, state, limiter }
  }

  test('serves again after the server has rejected writes', async () => {
    const { clock, state, limiter } = closedLimiter()
    state.outcome = () => new StoreError('rejected', 'OOM')
    expect((await limiter.check(request())).source).toBe('closed')
    state.outcome = () => 'up'
    clock.advance(1000)
    expect((await limiter.check(request())).allowed).toBe(true)
  })

  test('sends Retry-After with each 503: while a probe is on its way, and if nothing opened', async () => {
    const { clock, state, limiter } = closedLimiter()
    const retryAfter = async (works?: TakeOptions) =>
      limiter.refuse(await limiter.check(request(), works)).headers.get('retry-after')
    state.outcome = keyError
    expect(await retryAfter()).toBe('1')
    state.outcome = () => 'hang'
    const first = retryAfter()
    clock.advance(1000)
    expect(await first).toBe('1')
    clock.advance(300)
    const works = background(clock)
    for (let n = 0; n < 5; n++) {
      clock.advance(100)
      expect(await retryAfter(works)).toBe('1')
    }
  })
})

test('a share of the limit: the fields show what is left here', async () => {
  const { state, store, clock } = scriptedStore()
  const limiter = createLimiter({
    limit: 100,
    window: '1m',
    fallback: { local: 0.25 },
    client: () => ({ plain: 'a' }),
    store,
    clock,
    onStoreEvent() {},
  })
  state.outcome = refused
  let decision = await limiter.check(request())
  expect(decision.policy?.remaining).toBe(24)
  while (decision.allowed) decision = await limiter.check(request())
  expect(decision.policy?.remaining).toBe(0)
})

test('an exhausted client holds up no probe while the server rejects writes', async () => {
  const { clock, state, guarded } = scriptedStore()
  const one = guarded({ policies: new Map([['closed', { fallback: 'closed' }]]) })
  const both = (client: string) => [
    { ...of(client), policy: 'closed' },
    { ...of(client), limit: 2 },
  ]
  state.outcome = () => new StoreError('rejected', 'OOM', { mayHaveCounted: false })
  for (let n = 0; n < 2; n++) await one.take(both('exhausted').slice(1))
  state.outcome = () => 'up'
  let grants: readonly Grant[] = []
  for (let n = 0; n < 100 && !grants[0]?.granted; n++) {
    clock.advance(10)
    await one.take(both('exhausted'))
    grants = await one.take(both('b'))
  }
  expect(grants).toMatchObject([{ granted: 1 }, { granted: 1 }])
})
