/** Keys without expiry, which a plain count leaves that arrives after its window's end. */
import { expect, test } from 'vitest'
import type { Demand } from '../../src/index.ts'
import { redisModel } from '../../src/simulation/redis-model.ts'
import type { RedisCommands } from '../../src/stores/redis-protocol/redis-commands.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { isolate } from '../support/guarded.ts'
import { pause } from '../support/pause.ts'

const WINDOW = 2000
const demandOf = (client: string): Demand => ({
  policy: '',
  client,
  limit: 100,
  window: WINDOW,
  cost: 1,
})

/**
 * An isolate that has seen the windows of 200 clients, and then sent a count of each that got no
 * answer within the deadline. `arrive` lets so many of these counts reach the server, after the end
 * of their windows.
 */
async function afterLostCounts() {
  const clock = manualClock()
  const model = redisModel(clock)
  const state = { isAway: false, lostBatch: 0 }
  const waiting: (() => Promise<unknown>)[] = []
  const calls: number[] = []
  const script: RedisCommands['eval'] = async (text, keys, args) => {
    calls.push(keys.length)
    if (calls.length === state.lostBatch) state.isAway = true
    if (state.isAway) throw new Error('connection lost')
    return model.client.eval(text, keys, args)
  }
  const client: RedisCommands = {
    eval: script,
    evalsha: script,
    incrby(...args) {
      if (!state.isAway) return model.client.incrby(...args)
      waiting.push(() => model.client.incrby(...args))
      return new Promise(() => {})
    },
  }
  const store = redisStore(client, { name: 'model', prefix: 'k' })
  const one = isolate(store, clock, { timeout: 100, timer: clock.timer, random: () => 0.5 })
  const works: Promise<unknown>[] = []
  const waitUntil = (work: Promise<unknown>) => void works.push(work)
  const take = (client: string) => one.take([demandOf(client)], { waitUntil })
  const clients = Array.from({ length: 200 }, (_, n) => `c${n}`)
  for (const client of clients) await take(client)
  clock.advance(WINDOW - 50)
  state.isAway = true
  const lost = Promise.all(clients.map(take))
  clock.advance(100)
  await lost
  calls.length = 0
  return {
    clock,
    model,
    state,
    calls,
    take,
    settled: () => Promise.all(works),
    async arrive(count: number) {
      for (const run of waiting.splice(0, count)) await run()
    },
    /** How many keys there are without an expiry. */
    unhealed: () => model.keys().filter((key) => model.life(key)?.endsAt === undefined).length,
  }
}

test('are healed at the first contact, a hundred in a call, without their clients', async () => {
  const { clock, state, calls, take, arrive, unhealed } = await afterLostCounts()
  await arrive(200)
  expect(unhealed()).toBe(200)
  state.isAway = false
  clock.advance(1000)
  await take('another')
  await pause(0)
  expect(unhealed()).toBe(0)
  expect(calls).toEqual([1, 100, 100])
})

test('are healed if the count arrives after the first look, by another look 5 s later', async () => {
  const { clock, state, calls, take, settled, arrive, unhealed } = await afterLostCounts()
  state.isAway = false
  clock.advance(1000)
  await take('another')
  await pause(0)
  await arrive(200)
  expect(unhealed()).toBe(200)
  clock.advance(5000)
  await settled()
  expect(unhealed()).toBe(0)
  expect(calls).toEqual([1, 100, 100, 100, 100])
  // Nothing is left to do.
  await take('another')
  expect(calls).toHaveLength(6)
})

test('are looked at once more 5 s later, also if others of them got no first look', async () => {
  const { clock, state, take, settled, arrive, unhealed } = await afterLostCounts()
  state.isAway = false
  clock.advance(1000)
  // The contact, the first batch, the second one.
  state.lostBatch = 3
  await take('another')
  await pause(0)
  state.isAway = false
  await arrive(100)
  expect(unhealed()).toBe(100)
  clock.advance(5000)
  await settled()
  clock.advance(1000)
  await take('another')
  await pause(0)
  expect(unhealed()).toBe(0)
})

test('are left alone while the server is away', async () => {
  const { clock, calls, take, arrive } = await afterLostCounts()
  await arrive(200)
  for (let n = 0; n < 100; n++) {
    clock.advance(10)
    await take('another')
  }
  // The probes.
  expect(calls.every((keys) => keys === 1)).toBe(true)
  expect(calls.length).toBeLessThan(5)
})

test('are left again if the server goes away meanwhile, and healed when it is back', async () => {
  const { clock, state, take, arrive, unhealed } = await afterLostCounts()
  await arrive(200)
  state.isAway = false
  clock.advance(1000)
  // The contact, the first batch, the second one.
  state.lostBatch = 3
  await take('another')
  await pause(0)
  expect(unhealed()).toBe(100)
  state.isAway = false
  clock.advance(1000)
  await take('another')
  await pause(0)
  expect(unhealed()).toBe(0)
})
