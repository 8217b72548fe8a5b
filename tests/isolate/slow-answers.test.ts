/** Answers that come late, and what they tell of calls that are still under way. */
import { expect, test } from 'vitest'
import { type Demand, type Store, StoreError } from '../../src/index.ts'
import type { ManualClock } from '../../src/testing/index.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const of = (client: string): Demand => ({
  policy: '',
  client,
  limit: 100,
  window: 60_000,
  cost: 1,
})
const keyError = () => new StoreError('rejected', 'WRONGTYPE', { scope: 'key' })

/** The calls of the clients `slow…` hang, those of `bad…` fail because of their keys. */
function slowFor(clients: readonly string[]) {
  const scripted = scriptedStore()
  scripted.state.outcome = ([first]) => {
    const { client = '' } = first ?? {}
    return client.startsWith('bad') ? keyError() : clients.includes(client) ? 'hang' : 'up'
  }
  return { ...scripted, one: scripted.guarded() }
}

/** A request of a client: how long it waits, and who decides it. */
async function ask(one: Store, clock: ManualClock, client: string) {
  const since = clock()
  const [grant] = await one.take([of(client)], background(clock))
  return { waited: clock() - since, source: grant?.source ?? 'store' }
}

async function pass(clock: ManualClock, ms: number) {
  for (let passed = 0; passed < ms; passed += 5) {
    clock.advance(5)
    await flush()
  }
}

for (const [kind, answered] of [
  ['an answer', 'good'],
  ['an error about one key', 'bad'],
] as const) {
  test(`${kind} since a call was sent keeps the breaker closed when the call fails`, async () => {
    const { clock, calls, one } = slowFor(['slow'])
    const slow = ask(one, clock, 'slow')
    await ask(one, clock, answered)
    await pass(clock, 1000)
    expect(await slow).toEqual({ waited: 1000, source: 'local' })
    calls.length = 0
    expect(await ask(one, clock, 'good')).toMatchObject({ source: 'store' })
    expect(calls.length).toBeGreaterThan(0)
  })

  test(`after ${kind}, the oldest call is the oldest one that was sent since`, async () => {
    const { clock, one } = slowFor(['slow', 'slower'])
    await ask(one, clock, answered)
    await pass(clock, 600)
    const slow = ask(one, clock, 'slow')
    await pass(clock, 100)
    const slower = ask(one, clock, 'slower')
    await pass(clock, 1000)
    expect([await slow, await slower]).toEqual([
      { waited: 1000, source: 'local' },
      { waited: 905, source: 'local' },
    ])
  })
}

test('a key whose count got no answer is not counted plainly before the script has looked at it', async () => {
  const { clock, hinted, state, one } = slowFor([])
  await ask(one, clock, 'a')
  state.outcome = ([first]) => (first?.client === 'a' ? 'hang' : 'up')
  const lost = ask(one, clock, 'a')
  await ask(one, clock, 'good')
  await pass(clock, 1000)
  await lost
  state.outcome = () => 'up'
  hinted.length = 0
  await ask(one, clock, 'a')
  await ask(one, clock, 'a')
  await ask(one, clock, 'a')
  expect([hinted.at(0), hinted.at(-1)]).toEqual([false, true])
})

test('a call waits for its own deadline if the oldest call was answered late', async () => {
  const { clock, state, one } = slowFor([])
  const answers = new Map<string, () => void>()
  state.outcome = ([first]) =>
    new Promise<void>((resolve) => void answers.set(first?.client ?? '', resolve))
  const oldest = ask(one, clock, 'oldest')
  await pass(clock, 500)
  const later = ask(one, clock, 'later')
  await pass(clock, 400)
  answers.get('oldest')?.()
  await flush()
  await pass(clock, 300)
  answers.get('later')?.()
  await flush()
  expect([await oldest, await later]).toEqual([
    { waited: 900, source: 'store' },
    { waited: 700, source: 'store' },
  ])
})

test('a probe has a whole deadline, however long ago the oldest call was sent', async () => {
  const { clock, state, one } = slowFor([])
  state.outcome = refused
  await ask(one, clock, 'a')
  await pass(clock, 300)
  let answer = () => {}
  state.outcome = () =>
    new Promise<void>((resolve) => {
      answer = resolve
    })
  expect(await ask(one, clock, 'b')).toEqual({ waited: 0, source: 'local' })
  await pass(clock, 900)
  answer()
  state.outcome = () => 'up'
  await flush()
  expect(await ask(one, clock, 'c')).toEqual({ waited: 0, source: 'store' })
})

test('an error about one key does not end an outage of a server that rejects writes', async () => {
  const { clock, state, one } = slowFor([])
  state.outcome = () => new StoreError('rejected', 'OOM', { mayHaveCounted: false })
  await ask(one, clock, 'a')
  await pass(clock, 1000)
  state.outcome = keyError
  await ask(one, clock, 'b')
  await flush()
  state.outcome = () => 'up'
  expect(await ask(one, clock, 'c')).toEqual({ waited: 0, source: 'local' })
})

test('nor does a late refusal: only a granted unit shows that the server counts', async () => {
  const { clock, state, near, one } = slowFor([])
  await near.take([{ ...of('full'), cost: 100 }])
  let answer = () => {}
  state.outcome = () =>
    new Promise<void>((resolve) => {
      answer = resolve
    })
  const late = ask(one, clock, 'full')
  state.outcome = () => new StoreError('rejected', 'OOM', { mayHaveCounted: false })
  await ask(one, clock, 'a')
  answer()
  expect(await late).toEqual({ waited: 0, source: 'store' })
  state.outcome = () => 'up'
  expect(await ask(one, clock, 'b')).toEqual({ waited: 0, source: 'local' })
})

test('nor does a look of the background', async () => {
  const { clock, calls, state, guarded } = scriptedStore({ oneClient: true })
  const one = guarded()
  await ask(one, clock, 'a')
  state.outcome = () => 'hang'
  const lost = ask(one, clock, 'a')
  await pass(clock, 1300)
  await lost
  state.outcome = () => new StoreError('rejected', 'OOM', { mayHaveCounted: false })
  await one.take([{ ...of('a'), cost: 0 }], background(clock))
  await flush()
  state.outcome = () => 'up'
  await pass(clock, 300)
  calls.length = 0
  await ask(one, clock, 'b')
  await flush()
  // The key of the lost count is looked at, and so healed.
  expect(calls).toMatchObject([[{ client: 'b' }], [{ client: 'a', cost: 0 }]])
  expect(await ask(one, clock, 'a')).toEqual({ waited: 0, source: 'local' })
})

test('a probe that fails is reported as a failed call, and the outage once', async () => {
  const { clock, state, guarded } = scriptedStore()
  const events: string[] = []
  const one = guarded({ onStoreEvent: ({ type }) => void events.push(type) })
  state.outcome = refused
  for (let n = 0; n < 3; n++) {
    await one.take([of('a')], background(clock))
    await pass(clock, 400)
  }
  expect(events).toEqual(['away', 'failed', 'failed'])
})

test('an outage is reported to sixteen listeners, and limiters made for each request add none', async () => {
  const { state, guarded } = scriptedStore()
  let notified = 0
  state.outcome = refused
  for (let n = 0; n < 30; n++) {
    const one = guarded({ onStoreEvent: ({ type }) => void (type === 'away' && notified++) })
    await one.take([of('a')])
  }
  expect(notified).toBe(16)
})
