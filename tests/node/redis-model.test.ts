import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { redisModel } from '../../src/simulation/redis-model.ts'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis()
const redis = new Redis(server.url)
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

const KEYS = ['a', 'b']
const SECOND = 1000

const demand = fc.record({
  limit: fc.integer({ min: 1, max: 6 }),
  window: fc.constantFrom(25 * SECOND, 45 * SECOND),
  cost: fc.integer({ min: 0, max: 4 }),
  reserve: fc.integer({ min: 0, max: 3 }),
  owed: fc.integer({ min: 0, max: 7 }),
  age: fc.constantFrom(5 * SECOND, 15 * SECOND),
  rest: fc.constantFrom(15 * SECOND, 25 * SECOND),
})
const step = fc.oneof(
  fc.record({ incrby: fc.constantFrom(...KEYS), units: fc.integer({ min: -4, max: 3 }) }),
  fc.record({ script: fc.array(demand, { minLength: 1, maxLength: 2 }), owes: fc.boolean() }),
  fc.record({ evict: fc.constantFrom(...KEYS) }),
  fc.record({ wait: fc.constantFrom(10 * SECOND, 20 * SECOND) }),
)

/** Commands as Redis counts them, those inside scripts included. */
async function billed(): Promise<number> {
  const stats = await redis.info('commandstats')
  const counted = /cmdstat_(?:get|set|incrby|pttl|pexpire|evalsha|eval):calls=(\d+)/g
  return [...stats.matchAll(counted)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

test('the model of Redis answers, expires and bills as a real one, for any sequence of commands', async () => {
  await redis.eval(TAKE.plain.text, 0)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      await redis.flushdb()
      await redis.config('RESETSTAT')
      let now = 0
      let own = 0
      const model = redisModel(() => now)
      for (const step of steps) {
        if ('wait' in step) {
          now += step.wait
          for (const key of KEYS) {
            const left = await redis.pttl(key)
            own++
            if (left < 0) continue
            await redis.pexpire(key, left - step.wait)
            own++
          }
        } else if ('evict' in step) {
          model.evict(step.evict)
          await redis.del(step.evict)
        } else if ('incrby' in step) {
          const want = await model.client.incrby(step.incrby, step.units)
          expect(await redis.incrby(step.incrby, step.units)).toBe(want)
        } else {
          const keys = KEYS.slice(0, step.script.length)
          const args = step.script.flatMap(({ limit, window, cost, reserve, owed, age, rest }) => {
            const debt = step.owes && owed > 0 ? [owed, age, rest] : [0, 0, window]
            return [limit, window, Math.min(cost, limit), reserve, ...debt].map(String)
          })
          const want = (await model.client.evalsha('', keys, args)) as number[][]
          const got = (await redis.evalsha(
            TAKE.plain.sha,
            keys.length,
            ...keys,
            ...args,
          )) as number[][]
          expect(got.flat().map(coarse)).toEqual(want.flat().map(coarse))
        }
        for (const key of KEYS) {
          const [left, life] = [await redis.pttl(key), model.life(key)]
          own++
          expect(Number(await redis.get(key))).toBe(life?.count ?? 0)
          own++
          if (life === undefined) expect(left).toBe(-2)
          else if (life.endsAt === undefined) expect(left).toBe(-1)
          else expect(Math.abs(left - (life.endsAt - now))).toBeLessThan(4 * SECOND)
        }
      }
      expect((await billed()) - own).toBe(model.billed())
    }),
    { numRuns: 60, seed: 20261123 },
  )
}, 30_000)

test('the script tells a time at which the key is gone, which is after the millisecond that PTTL names', async () => {
  const [window, cost] = [60_000, 1]
  const args = [1, window, cost, 0, 0, 0, window].map(String)
  for (const keys of [['late'], ['late', 'later']]) {
    await redis.eval(TAKE.plain.text, keys.length, ...keys, ...keys.flatMap(() => args))
    for (let attempt = 0; attempt < 50; attempt++) {
      const script = [
        'evalsha',
        TAKE.plain.sha,
        `${keys.length}`,
        ...keys,
        ...keys.flatMap(() => args),
      ]
      const answers = await redis.multi([script, ['pttl', 'late']]).exec()
      const [[, [grant]], [, left]] = answers as [[null, [number[]]], [null, number]]
      expect(grant[0]).toBe(0)
      expect(grant[3]).toBeGreaterThan(left)
      expect(grant[3]).toBe(Number(grant[2]) + 1)
    }
  }
})

/** Counts as they are; times, of which the test itself takes some, to the nearest ten seconds. */
const coarse = (value: number, index: number) => (index % 4 < 2 ? value : Math.ceil(value / 10_000))
