import { afterAll, describe, expect, test } from 'vitest'
import type { Change } from '../../src/doctor/check-states.ts'
import { type Report, doctor as realDoctor, type Send } from '../../src/doctor/doctor.ts'
import type { Evictions } from '../../src/doctor/evictions.ts'
import { readOptions } from '../../src/doctor/options.ts'
import { runChecks } from '../../src/doctor/run-checks.ts'
import { readTarget } from '../../src/doctor/target.ts'
import { type AlarmThresholds, watch } from '../../src/doctor/watch.ts'
import { StoreError } from '../../src/errors.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { passTime } from '../support/pass-time.ts'
import { virtualTime } from './support/virtual-time.ts'
import { over, ward } from './support/ward.ts'

const { redis, spawn, connect, end } = await ward()
afterAll(end)

const THRESHOLDS = { maxLatency: 10, maxMemory: 0.8, maxErrors: 0.01 }
const INTERVAL_MS = 5000

/** A store in memory, in virtual time. */
interface Weather {
  /** How long a take takes, in ms. */
  readonly trip?: number
  /** Every so many takes fail. */
  readonly failsEvery?: number
  readonly isAway?: boolean
}

/** Watches a store for one examination per item. Returns `<examination>: <check> <from>→<to>`. */
async function watchWeather(weather: readonly Weather[], thresholds = THRESHOLDS) {
  const { clock, doctor } = virtualTime()
  const fast = memory({ clock })
  let now: Weather = {}
  let takes = 0
  const store: Store = {
    ...fast,
    async take(demands) {
      const { trip = 1, failsEvery, isAway } = now
      clock.advance(trip)
      if (isAway) throw new StoreError('unreachable', 'no connection')
      if (failsEvery !== undefined && demands[0]?.policy === 'doctor-trip' && demands[0].cost > 0) {
        if (++takes % failsEvery === 0) throw new StoreError('rejected', 'ERR a test')
      }
      return fast.take(demands)
    },
  }
  const examine = (current: Weather, options: AlarmThresholds) => {
    now = current
    takes = 0
    return doctor(store, { ...options, probes: 10 })
  }
  return run(weather, clock, examine, thresholds)
}

/** Runs one examination per item, and then ends the watch. */
async function run<Item>(
  items: readonly Item[],
  clock: ReturnType<typeof virtualTime>['clock'],
  examine: (item: Item, thresholds: AlarmThresholds, evictions: Evictions) => Promise<Report>,
  thresholds = THRESHOLDS,
) {
  const controller = new AbortController()
  const changes: (Change & { readonly text: string })[] = []
  const starts: number[] = []
  const work = watch({
    interval: INTERVAL_MS,
    thresholds,
    signal: controller.signal,
    clock,
    timer: clock.timer,
    examine(current, evictions) {
      const item = items[starts.length]
      starts.push(clock())
      if (item !== undefined) return examine(item, current, evictions)
      controller.abort()
      return new Promise(() => {})
    },
    onChanges(found) {
      for (const change of found) {
        const text = `${starts.length}: ${change.check} ${change.from}→${change.to}`
        changes.push({ ...change, text })
      }
    },
  })
  await passTime(clock, work)
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0))
  return { changes, texts: changes.map(({ text }) => text), gaps }
}

const times = <Item>(count: number, item: Item): Item[] => Array(count).fill(item)

describe('the state of a check', () => {
  test('changes after three bad examinations, and again after three good ones, and not between', async () => {
    const { texts, changes, gaps } = await watchWeather([
      ...times(2, { isAway: true }),
      {},
      ...times(6, { isAway: true }),
      ...times(2, {}),
      { isAway: true },
      ...times(6, {}),
    ])
    expect(texts).toEqual(['6: reachability ok→failure', '15: reachability failure→ok'])
    expect(changes[0]).toMatchObject({
      says: 'The store cannot be reached: no connection. Nothing else was checked.',
      remedy: expect.stringContaining('Check that the server runs'),
    })
    expect(changes[1]).toMatchObject({ says: 'The store answers.', remedy: undefined })
    expect(changes[1]?.lasted).toBeGreaterThan(8.9 * INTERVAL_MS)
    expect(changes[1]?.lasted).toBeLessThan(9.1 * INTERVAL_MS)
    // Virtual time passes in steps of 100 ms.
    for (const gap of gaps) expect(Math.abs(gap - INTERVAL_MS)).toBeLessThanOrEqual(100)
  })

  test('latency: bad above 10 ms, and good again at 8 ms, not at 9 ms', async () => {
    const { texts } = await watchWeather([
      ...times(4, { trip: 10 }),
      ...times(4, { trip: 11 }),
      ...times(5, { trip: 9 }),
      ...times(3, { trip: 8 }),
      ...times(4, { trip: 9 }),
    ])
    expect(texts).toEqual(['7: latency ok→warning', '16: latency warning→ok'])
  })

  test('errors: good again at half of the threshold', async () => {
    const weather = [
      ...times(3, { failsEvery: 3 }),
      ...times(3, { failsEvery: 2 }),
      ...times(3, { failsEvery: 3 }),
      ...times(3, { failsEvery: 5 }),
    ]
    // Of ten round trips 5, 3 and 2 fail.
    const { texts } = await watchWeather(weather, { ...THRESHOLDS, maxErrors: 0.4 })
    expect(texts).toEqual(['6: errors ok→warning', '12: errors warning→ok'])
  })

  test('memory: bad above 80 %, good again at 75 %, and unchanged while INFO is not permitted', async () => {
    const { clock } = virtualTime()
    const answers = [
      ...times(3, 'used_memory:81\r\nmaxmemory:100\r\n'),
      ...times(3, 'used_memory:77\r\nmaxmemory:100\r\n'),
      ...times(3, 'NOPERM'),
      ...times(3, 'used_memory:75\r\nmaxmemory:100\r\n'),
      ...times(3, 'used_memory:79\r\nmaxmemory:100\r\n'),
    ]
    const { texts } = await run(answers, clock, (answer, thresholds) => {
      const real = over(redis)
      const target: Send = async (command) => {
        if (command[0] !== 'INFO') return real(command)
        if (answer === 'NOPERM') throw new Error('NOPERM this user has no permissions')
        return answer
      }
      return realDoctor(target, { ...thresholds, maxLatency: '1s', probes: 1 })
    })
    expect(texts).toEqual(['3: memory ok→warning', '12: memory warning→ok'])
  })
})

describe('evicted keys', () => {
  /** A Redis that evicts. */
  async function evicting() {
    const full = ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru']
    const server = await spawn({ args: full })
    const client = connect(server.url)
    let key = 0
    const evict = async () => {
      const evicted = async () =>
        Number(/evicted_keys:(\d+)/.exec(await client.info('stats'))?.[1] ?? 0)
      const before = await evicted()
      while ((await evicted()) === before) await client.set(`filler:${key++}`, 'x'.repeat(100_000))
    }
    const { clock } = virtualTime()
    const watchEvictions = async (steps: readonly (() => unknown)[]) => {
      const { changes } = await run(steps, clock, async (step, thresholds, evictions) => {
        await step()
        const settings = readOptions({ ...thresholds, maxLatency: '5s', probes: 1 })
        const target = readTarget(over(client), undefined, fetch)
        return runChecks(target, { ...settings, evictions })
      })
      return changes.filter(({ check }) => check === 'evicted')
    }
    return { client, evict, watchEvictions }
  }
  const nothing = () => {}

  test('before the watch alert nobody', async () => {
    const { evict, watchEvictions } = await evicting()
    await evict()
    expect(await watchEvictions(times(5, nothing))).toEqual([])
  })

  test('alert once, and the alert ends when nothing is evicted any more', async () => {
    const { evict, watchEvictions } = await evicting()
    const changes = await watchEvictions([nothing, evict, ...times(8, nothing)])
    expect(changes.map(({ text }) => text)).toEqual([
      '4: evicted ok→warning',
      '7: evicted warning→ok',
    ])
    expect(changes[0]?.says).toMatch(/^\d+ keys? (was|were) evicted in the last examinations,/)
    expect(changes[1]?.says).toBe('No key was evicted in the last examinations.')
  })

  test('are counted anew after a restart, by which the count falls', async () => {
    const { client, evict, watchEvictions } = await evicting()
    for (let count = 0; count < 5; count++) await evict()
    // Like a restart, it sets the count to 0.
    const restart = () => client.config('RESETSTAT')
    const quiet = await watchEvictions([nothing, restart, ...times(5, nothing)])
    expect(quiet).toEqual([])
    const evictAfterRestart = async () => {
      await restart()
      await evict()
    }
    for (let count = 0; count < 5; count++) await evict()
    const changes = await watchEvictions([nothing, evictAfterRestart, ...times(7, nothing)])
    expect(changes.map(({ text }) => text)).toEqual([
      '4: evicted ok→warning',
      '7: evicted warning→ok',
    ])
  })
})

test('an examination that takes longer than the interval delays the next one, and none overlaps', async () => {
  const { clock, doctor } = virtualTime()
  let running = 0
  const { gaps } = await run(times(3, 7000), clock, async (ms) => {
    expect(++running).toBe(1)
    await new Promise<void>((resolve) => clock.timer(ms, resolve))
    running--
    return doctor(memory({ clock }), { probes: 1 })
  })
  for (const gap of gaps) expect(gap).toBeLessThan(7500)
})
