import { describe, expect, test } from 'vitest'
import { readOptions } from '../../bench/simulate/options.ts'
import { standard } from '../../bench/simulate/standard.ts'
import { guard } from '../../src/isolate/guard.ts'
import { agenda } from '../../src/simulation/agenda.ts'
import type { MakeRule } from '../../src/simulation/isolate.ts'
import { objects, redis } from '../../src/simulation/rules/backends.ts'
import { MODES, RULES } from '../../src/simulation/rules/rules.ts'
import { tidegate } from '../../src/simulation/rules/tidegate.ts'
import { DEFAULTS, type Scenario } from '../../src/simulation/scenario.ts'
import { simulate } from '../../src/simulation/simulate.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'

/** Two windows and a half, with twice the demand. */
const CALM: Scenario = {
  ...DEFAULTS,
  limit: 200,
  window: 4000,
  isolates: 5,
  rate: 100,
  duration: 10_000,
}
const STORM: Scenario = { ...CALM, points: 300, lifetime: 2000, skew: 3_600_000 }

/** A scenario of the standard set. */
function scenarioOf(name: string): Scenario {
  const study = standard(1).find((one) => one.name === name)
  if (study === undefined) throw new Error(`there is no scenario ${name}`)
  return study.scenario
}

describe('the simulation', () => {
  test('lets things happen in the order of their times, and of being written down', () => {
    const { at, step } = agenda()
    const seen: number[] = []
    for (const time of [5, 3, 9, 3, 1, 7, 3]) at(time, () => void seen.push(time))
    at(4, () => at(2, () => void seen.push(4.5)))
    while (step());
    expect(seen).toEqual([1, 3, 3, 3, 4.5, 5, 7, 9])
  })

  test.each(MODES)(
    'gives the same figures for the same seed, and others for another: %s',
    async (mode) => {
      const run = (seed: number) => simulate({ ...STORM, seed }, RULES[mode])
      const [first, again, other] = [await run(1), await run(1), await run(2)]
      expect(again).toEqual(first)
      expect(other).not.toEqual(first)
      expect(first.requests).toBeGreaterThan(800)
      expect(first.lost > 0).toBe(mode !== 'per-isolate')
    },
  )

  test.each(['strict', 'lease', 'hono-rate-limiter', 'rate-limiter-flexible'] as const)(
    'sees what keeps the limit keep it, whatever dies: %s',
    async (mode) => {
      const { beyond, most, windows } = await simulate(STORM, RULES[mode])
      expect({ beyond, windows }).toEqual({ beyond: 0, windows: 2 })
      expect(most).toBeLessThanOrEqual(1)
    },
  )

  test.each([false, true])(
    'sees Durable Objects keep the limit, whatever dies: lease %s',
    async (lease) => {
      const rule = tidegate({ lease, backend: objects() })
      const { beyond, most, windows } = await simulate(STORM, rule)
      expect({ beyond, windows }).toEqual({ beyond: 0, windows: 2 })
      expect(most).toBeLessThanOrEqual(1)
      expect(most).toBeGreaterThan(0.9)
    },
  )

  test('sees a race, isolates that know nothing of each other, and clocks that disagree', async () => {
    expect((await simulate(CALM, RULES['get-set'])).beyond).toBeGreaterThan(100)
    expect((await simulate(CALM, RULES['per-isolate'])).beyond).toBeGreaterThan(100)
    expect((await simulate(CALM, RULES.upstash)).beyond).toBe(0)
    expect((await simulate(STORM, RULES.upstash)).beyond).toBeGreaterThan(100)
  })

  test('sends the requests of a visit for one client, at any rate', async () => {
    const visits = { ...CALM, arrivals: 'visits', burst: 20, keys: 1000, zipf: 0 } as const
    const rate = 300
    const asked: string[] = []
    const rule: MakeRule = () => ({
      billed: () => 0,
      start: () => async (ask) => asked.push(ask.client) > 0,
    })
    const { requests } = await simulate({ ...visits, rate, duration: 600_000 }, rule)
    expect(requests / (rate * 600)).toBeCloseTo(1, 1)
    asked.length = 0
    // Far apart, so that no other client asks in between.
    await simulate({ ...visits, rate: 0.01, duration: 36_000_000 }, rule)
    const moves = asked.filter((client, index) => client !== asked[index - 1]).length
    expect(asked.length / moves).toBeGreaterThan(10)
  })

  test('counts commands and trips as they are', async () => {
    const calm = { ...CALM, limit: 1_000_000, isolates: 1, trip: 30 }
    const { requests, billed, p50, p99, tripsPerRequest } = await simulate(calm, RULES['get-set'])
    expect({ billed, p50, p99, tripsPerRequest }).toEqual({
      billed: 2 * requests,
      p50: 60,
      p99: 60,
      tripsPerRequest: 2,
    })
    const strict = await simulate(calm, RULES.strict)
    expect(strict.p50).toBe(30)
    expect(strict.billedPerAllowed).toBeLessThan(1.1)
  })

  test('sees a rule that lets everybody pass', async () => {
    const open: MakeRule = () => ({ billed: () => 0, start: () => async () => true })
    const { beyond, requests } = await simulate(CALM, open)
    expect(beyond).toBe(requests)
  })

  test('sees a lease that spends a unit it was not granted', async () => {
    const fewerThan = (reserve = 0) => Math.max(0, reserve - 1)
    const generous: typeof redisStore = (client, settings) => {
      const store = redisStore(client, settings)
      return {
        guard,
        async take(demands, options) {
          const fewer = demands.map((demand) => ({ ...demand, reserve: fewerThan(demand.reserve) }))
          const grants = await store.take(fewer, options)
          return grants.map((grant, index) => ({
            ...grant,
            granted: grant.granted + (demands[index]?.reserve ? 1 : 0),
          }))
        },
      }
    }
    const hot = { ...CALM, isolates: 2, rate: 60, limit: 100_000, window: 60_000 }
    expect((await simulate(hot, tidegate({ lease: true }))).beyond).toBe(0)
    const broken = tidegate({ lease: true, backend: redis(generous) })
    expect((await simulate(hot, broken)).beyond).toBeGreaterThan(0)
  })

  // Fails if a lease may take 1/16 of the units that are left, instead of 1/32.
  test.each([
    ['five requests at a time', 'bursts', 0.995],
    ['pages of 20 requests', 'pages', 0.97],
  ])(
    'sees a lease leave enough for a client who sends %s and moves to another isolate',
    async (_, name, target) => {
      const { beyond, share } = await simulate(scenarioOf(name), RULES.lease)
      expect(beyond).toBe(0)
      expect(share).toBeGreaterThan(target)
    },
  )

  // Fails if a lease may take units for half of the time that is left, instead of a quarter.
  test('sees leases of 100 isolates use up the limit of a window of two seconds', async () => {
    const { beyond, share, windows } = await simulate(scenarioOf('doubled-100-2s'), RULES.lease)
    expect(beyond).toBe(0)
    expect(windows).toBeGreaterThan(10)
    expect(share).toBeGreaterThan(0.999)
  })

  test('sees a refusal that was not necessary', async () => {
    const mean: typeof redisStore = (client, settings) => {
      const store = redisStore(client, settings)
      return {
        guard,
        take: (demands, options) =>
          store.take(
            demands.map((demand) => ({ ...demand, limit: demand.limit / 2 })),
            options,
          ),
      }
    }
    expect((await simulate(CALM, RULES.strict)).unfair).toBe(0)
    const { unfair, share } = await simulate(CALM, tidegate({ lease: false, backend: redis(mean) }))
    expect(unfair).toBeGreaterThan(100)
    expect(share).toBe(0.5)
  })
})

describe('the command line of the simulation', () => {
  test('runs the standard set unless it is told a scenario', () => {
    expect(readOptions(['--seed', '7'])).toMatchObject({ seed: 7, scenario: undefined })
    expect(
      readOptions(['--isolates', '1000', '--rate', '2', '--mode', 'lease,strict']),
    ).toMatchObject({
      modes: ['lease', 'strict'],
      scenario: { isolates: 1000, rate: 2000, seed: 1 },
    })
  })

  test.each([
    ['--isolates', '0', /^--isolates: expected a whole number from 1 to 10000.*, got "0"/],
    ['--window', 'soon', /^--window: expected a duration.*, got "soon"/],
    ['--mode', 'best', /^--mode: expected one of strict, lease.*, got "best"/],
    ['--rate', 'NaN', /^--rate: expected a number.*, got "NaN"/],
    ['--tempo', '2', "Unknown option '--tempo'"],
  ])('says what is wrong with %s %s', (option, text, message) => {
    expect(() => readOptions([option, text])).toThrow(message)
  })
})
