/**
 * The bad days of tests/node/bad-day-model.test.ts over real parts: Redis over TCP and through our
 * gateway, and Durable Objects in workerd. `MODEL_SEED` draws other sequences.
 */
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { Decision } from '../../src/limiter/decision.ts'
import { NO_FAULT } from '../support/bad-day/fault.ts'
import { newAccount } from '../support/bad-day/real/account.ts'
import { type Backend, overObjects, overRest, overTcp } from '../support/bad-day/real/backend.ts'
import { startRealIsolate } from '../support/bad-day/real/isolate.ts'
import { type Leftover, runReal } from '../support/bad-day/real/run-real.ts'
import { type RealSequence, realSequences } from '../support/bad-day/real/sequences.ts'
import { startObjects } from '../support/durable-object.ts'
import { pause } from '../support/pause.ts'

const SEED = Number(process.env.MODEL_SEED ?? 20261128)
const MAX_STEPS = 16
/** How many sequences run at a time: most of their time they wait. */
const LANES = 4
/** In ms: until keys without expiry have been healed a second time. */
const HEALING_MS = 6000

const redis = new Redis(inject('redisUrl'))
const objects = await startObjects()
afterAll(async () => {
  redis.disconnect()
  await objects.stop()
})

const BACKENDS: readonly {
  readonly name: string
  readonly backend: Backend
  readonly runs: number
}[] = [
  { name: 'Redis over TCP', backend: overTcp(inject('redisUrl'), redis), runs: 16 },
  { name: 'Redis over the gateway', backend: overRest(inject('gateway'), redis, false), runs: 12 },
  { name: 'the gateway in batches', backend: overRest(inject('gateway'), redis, true), runs: 10 },
  { name: 'Durable Objects', backend: overObjects(objects), runs: 12 },
]

for (const [at, { name, backend, runs }] of BACKENDS.entries()) {
  const seed = SEED + at
  test.concurrent(`${runs} sequences over ${name} keep all promises (seed ${seed})`, async () => {
    const drawn = fc.sample(realSequences(MAX_STEPS), { numRuns: runs, seed }).entries()
    const done: { readonly sequence: RealSequence; readonly left: Leftover }[] = []
    const lane = async () => {
      for (const [index, sequence] of drawn) {
        const left = await runReal(backend, sequence, `${crypto.randomUUID()}-${index}`)
        done.push({ sequence, left })
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    await pause(HEALING_MS)
    for (const { sequence, left } of done) {
      for (const key of await backend.unexpiring(left.demands)) {
        left.violations.push(`${key}: no expiry`)
      }
      await left.stop()
      expect(left.violations, JSON.stringify(sequence)).toEqual([])
    }
    expect(done).toHaveLength(runs)
  }, 120_000)
}

describe('what isolates granted while the connection was refused is counted afterwards', () => {
  const policy = { name: 'owing', limit: 100, window: 60_000, fallback: 'local' } as const
  const options = { lease: false, breaker: true, timeout: 5000 }

  for (const { name, backend } of BACKENDS) {
    test(`over ${name}`, async () => {
      const client = crypto.randomUUID()
      const demand = { policy: policy.name, client, limit: 100, window: 60_000, cost: 1 }
      const isolates = await Promise.all(
        [0, 1, 2].map((id) =>
          startRealIsolate(id, backend, [policy], options, newAccount([policy]), () => {}),
        ),
      )
      const check = async (count: number, who = client) => {
        const decisions: Decision[] = []
        for (const isolate of isolates) {
          for (let n = 0; n < count; n++) decisions.push(await isolate.check(who, [policy]))
        }
        return decisions
      }
      const sources = new Set((await check(2)).map(({ source }) => source))
      for (const isolate of isolates) await isolate.set({ kind: 'refuse' })
      for (const { source } of await check(7)) sources.add(source)
      expect([...sources]).toEqual(['store', 'local'])
      for (const isolate of isolates) await isolate.set(NO_FAULT)
      const until = performance.now() + 5000
      while ((await backend.used(demand)) < 27 && performance.now() < until) {
        await check(1, crypto.randomUUID())
        await pause(50)
      }
      expect(await backend.used(demand)).toBe(27)
      expect((await check(1)).map((decision) => decision.policy?.remaining)).toEqual([72, 71, 70])
      for (const isolate of isolates) await isolate.stop()
    })
  }
})
