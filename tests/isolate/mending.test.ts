/** The background charges and heals: what holds up what, and what is looked at again. */
import { expect, test } from 'vitest'
import { type Demand, type Store, StoreError } from '../../src/index.ts'
import { knowledgeOf } from '../../src/isolate/knowledge.ts'
import { canMend } from '../../src/isolate/mend-keys.ts'
import { newRecord } from '../../src/isolate/record.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const of = (client: string, policy = ''): Demand => ({
  policy,
  client,
  limit: 100,
  window: 60_000,
  cost: 1,
})
const keyError = () => new StoreError('rejected', 'WRONGTYPE', { scope: 'key' })
const isCharge = (demands: readonly Demand[]) => demands.some(({ owed }) => owed !== undefined)

/** Every client of these demands is granted a unit while the store is away. */
async function owe(one: Store, demands: readonly Demand[]) {
  for (const demand of demands) {
    expect(await one.take([demand])).toMatchObject([{ granted: 1, source: 'local' }])
  }
}

for (const policies of [['p'], ['p', 'q']]) {
  for (const [name, isRefused] of [
    ['is away', () => true],
    ['does not answer charges', isCharge],
  ] as const) {
    test(`an object that ${name} holds up no other object: ${policies.length} keys`, async () => {
      const { clock, state, guarded, used } = scriptedStore({ oneClient: true })
      const [one, works] = [guarded(), background(clock)]
      state.outcome = refused
      await owe(
        one,
        policies.map((policy) => of('dead', policy)),
      )
      await owe(one, [of('alive')])
      state.outcome = (demands) =>
        demands[0]?.client === 'dead' && isRefused(demands) ? refused() : 'up'
      clock.advance(1000)
      await one.take([of('b')], works)
      await works.settle()
      expect(await used(of('alive'))).toBe(1)
    })
  }
}

test('keys that were charged take no place from those of the next outage', async () => {
  const { clock, state, guarded, used } = scriptedStore()
  const [one, works] = [guarded(), background(clock)]
  const later = Array.from({ length: 20 }, (_, n) => of(`later${n}`))
  for (const keys of [Array.from({ length: 10_050 }, (_, n) => of(`${n}`)), later]) {
    state.outcome = refused
    for (const key of keys) await one.take([key])
    state.outcome = () => 'up'
    clock.advance(2000)
    await one.take([of('b')], works)
    await flush(5000)
  }
  let units = 0
  for (const key of later) units += await used(key)
  expect(units).toBe(20)
})

test('backends that are away are not tried again with each answer of another', async () => {
  const asked: string[] = []
  const backendOf = (client: string) => {
    asked.push(client)
    return client
  }
  const { clock, state, guarded } = scriptedStore({ oneClient: true, backendOf })
  const [one, works] = [guarded(), background(clock)]
  state.outcome = ([first]) => (first?.client === 'b' ? 'up' : refused())
  await owe(
    one,
    ['c', 'd', 'e'].map((client) => of(client)),
  )
  await one.take([of('b')], works)
  await flush(500)
  asked.length = 0
  for (let n = 0; n < 50; n++) {
    await one.take([of('b')], works)
    await flush()
  }
  expect(new Set(asked)).toEqual(new Set(['b']))
})

test('a debt that was certainly not charged is noted again, whatever was looked at meanwhile', async () => {
  const { clock, state, guarded, used } = scriptedStore({ oneClient: true })
  const [one, works] = [guarded(), background(clock)]
  state.outcome = refused
  await owe(one, [of('a', 'q')])
  clock.advance(1000)
  // The probe of another policy's request, which carries no debt of the first one.
  let refuse = () => {}
  const probe = new Promise<void>((_, reject) => {
    refuse = () => reject(new StoreError('unreachable', 'refused', { mayHaveCounted: false }))
  })
  state.outcome = ([first]) => (first?.client === 'a' ? probe : 'up')
  expect(await one.take([of('a')], works)).toMatchObject([{ granted: 1, source: 'local' }])
  await one.take([of('b')], works)
  await flush(500)
  refuse()
  await flush()
  state.outcome = () => 'up'
  clock.advance(10_000)
  await one.take([of('b')], works)
  await works.settle()
  expect(await used(of('a'))).toBe(1)
})

test('a backend of one client that rejects a call about several of its keys is away', async () => {
  const { clock, state, guarded } = scriptedStore({ oneClient: true })
  const events: string[] = []
  const one = guarded({ onStoreEvent: ({ type }) => void events.push(type) })
  const works = background(clock)
  state.outcome = refused
  await owe(one, [of('full', 'p'), of('full', 'q')])
  clock.advance(1000)
  const isFull = (demands: readonly Demand[]) => demands[0]?.client === 'full' && isCharge(demands)
  state.outcome = (demands) => (isFull(demands) ? new StoreError('rejected', 'OOM') : 'up')
  await one.take([of('b')], works)
  await works.settle()
  expect(events).toEqual(['away', 'back', 'away'])
  expect(await one.take([of('full', 'p')])).toMatchObject([{ source: 'local' }])
})

test('a key that the server refuses does not hold up another key of its client', async () => {
  const { clock, state, guarded, used } = scriptedStore({ oneClient: true })
  const [one, works] = [guarded(), background(clock)]
  state.outcome = refused
  await owe(one, [of('a', 'spoiled'), of('a', 'good')])
  clock.advance(1000)
  const isSpoiled = (demands: readonly Demand[]) =>
    isCharge(demands) && demands.some(({ policy }) => policy === 'spoiled')
  state.outcome = (demands) => (isSpoiled(demands) ? keyError() : 'up')
  await one.take([of('b')], works)
  await works.settle()
  expect(await used(of('a', 'good'))).toBe(1)
})

test('a key that the server refuses is left alone until its client comes back', async () => {
  const { clock, calls, state, guarded, used } = scriptedStore()
  const [one, works] = [guarded(), background(clock)]
  state.outcome = refused
  await owe(one, [of('spoiled')])
  clock.advance(1000)
  state.outcome = ([first]) => (first?.client === 'spoiled' ? keyError() : 'up')
  await one.take([of('b')], works)
  await flush()
  state.outcome = () => 'up'
  calls.length = 0
  for (let n = 0; n < 5; n++) {
    await one.take([of('b')], works)
    await flush()
  }
  expect(calls).toHaveLength(5)
  await one.take([of('spoiled')], works)
  expect(await used(of('spoiled'))).toBe(2)
})

test('keys are charged together again after one of them was refused', async () => {
  const { clock, calls, state, guarded } = scriptedStore()
  const [one, works] = [guarded(), background(clock)]
  const keys = ['spoiled', 'c', 'd'].map((client) => of(client))
  for (let outage = 0; outage < 2; outage++) {
    state.outcome = refused
    await owe(one, keys)
    clock.advance(1000)
    calls.length = 0
    state.outcome = (demands) =>
      outage === 0 && demands.some(({ client }) => client === 'spoiled') ? keyError() : 'up'
    await one.take([of(`b${outage}`)], works)
    await flush(200)
    clock.advance(61_000)
  }
  expect(calls.filter(isCharge).map(({ length }) => length)).toEqual([1, 3])
})

test('a key that was healed twice is healed no more when it is charged', async () => {
  const { clock, calls, state, guarded } = scriptedStore()
  const [one, works] = [guarded(), background(clock)]
  await one.take([of('a')], works)
  state.outcome = () => 'hang'
  const lost = one.take([of('a')], works)
  clock.advance(1000)
  await lost
  const recover = async () => {
    state.outcome = () => 'up'
    clock.advance(1000)
    calls.length = 0
    await one.take([of('b')], works)
    await works.settle()
    return calls.flat().filter(({ client, cost }) => client === 'a' && cost === 0).length
  }
  expect(await recover()).toBe(2)
  state.outcome = refused
  // The other client's call fails. Then the isolate is alone, and no count of the key is lost.
  await owe(one, [of('c'), of('a')])
  expect(await recover()).toBe(1)
})

test('a key whose second look fails is looked at once more', async () => {
  const { clock, calls, state, guarded } = scriptedStore()
  const [one, works] = [guarded(), background(clock)]
  await one.take([of('a')], works)
  state.outcome = () => 'hang'
  const lost = one.take([of('a')], works)
  clock.advance(1000)
  await lost
  const looks = async (outcome: 'up' | Error) => {
    state.outcome = () => outcome
    calls.length = 0
    clock.advance(5000)
    await flush(100)
    await one.take([of('b')], works)
    await flush(100)
    return calls.flat().filter(({ client }) => client === 'a').length
  }
  expect([await looks('up'), await looks(refused()), await looks('up')]).toEqual([1, 1, 1])
})

test('the background sends one call at a time, however long a call may take', async () => {
  const { clock, calls, state, guarded } = scriptedStore()
  const one = guarded({ timeout: 100_000 })
  const { waitUntil } = background(clock)
  await one.take([of('a')])
  state.outcome = () => 'hang'
  const lost = one.take([of('a')])
  clock.advance(100_000)
  await lost
  const isLook = ([first]: readonly Demand[]) => first?.client === 'a'
  state.outcome = (demands) => (isLook(demands) ? 'hang' : 'up')
  calls.length = 0
  for (let n = 0; n < 3; n++) {
    clock.advance(1000)
    await one.take([of('b')], { waitUntil })
    await flush()
  }
  expect(calls.filter(isLook)).toHaveLength(1)
})

test('a clock that was set back does not stop the background', () => {
  const { clock, store } = scriptedStore()
  const known = knowledgeOf(store, clock)
  known.unmended.set(newRecord('a'), of('a'))
  const isDue = (mendingUntil: number) => canMend({ ...known, mendingUntil }, 0)
  // A call is on its way, or was before the clock was set back.
  expect([isDue(2000), isDue(3_600_000)]).toEqual([false, true])
})
