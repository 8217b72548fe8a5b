/** What a collector counts, of real limiters over a scripted store. */
import { describe, expect, test } from 'vitest'
import {
  createLimiter,
  type DecisionEvent,
  type LimiterOptions,
  memory,
  type Source,
} from '../../src/index.ts'
import { type Collector, collector } from '../../src/metrics/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { flush, refused, scriptedStore } from '../support/scripted-store.ts'

/** The value of a metric for some labels; `undefined` if there is no such point. */
function readValue(metrics: Collector, name: string, labels: Record<string, string> = {}) {
  const points = metrics.read().find((metric) => metric.name === name)?.points ?? []
  return points.find((point) =>
    Object.entries(labels).every(([label, value]) => point.labels[label] === value),
  )?.value
}

function collected(options: Partial<LimiterOptions> = {}, metrics = collector({ log: false })) {
  const scripted = scriptedStore({ label: 'scripted' })
  const { clock, store } = scripted
  const limiter = createLimiter({
    ...(options.policies ? {} : { limit: 5, window: '1m' }),
    store,
    clock,
    timer: clock.timer,
    onDecision: metrics.onDecision,
    onStoreEvent: metrics.onStoreEvent,
    ...options,
  } as LimiterOptions)
  const check = (ip = '203.0.113.7', context = {}) =>
    limiter.check(new Request('https://example.com/'), { ip, ...context })
  return { ...scripted, metrics, check }
}

describe('a collector counts', () => {
  test('checks and decisions, by outcome, source and policy', async () => {
    const { metrics, check } = collected({
      policies: [
        { name: 'burst', limit: 2, window: '1s' },
        { name: 'hourly', limit: 100, window: '1h' },
      ],
    })
    for (let n = 1; n <= 3; n++) await check()
    expect(readValue(metrics, 'checks', { outcome: 'allowed', source: 'store' })).toBe(2)
    expect(readValue(metrics, 'checks', { outcome: 'refused', source: 'known' })).toBe(1)
    expect(readValue(metrics, 'policy.decisions', { policy: 'burst', outcome: 'allowed' })).toBe(2)
    expect(readValue(metrics, 'policy.decisions', { policy: 'burst', outcome: 'refused' })).toBe(1)
    expect(readValue(metrics, 'policy.decisions', { policy: 'hourly', outcome: 'allowed' })).toBe(2)
    expect(readValue(metrics, 'policy.decisions', { policy: 'hourly', outcome: 'refused' })).toBe(0)
    expect(readValue(metrics, 'units', { policy: 'hourly' })).toBe(2)
    expect(readValue(metrics, 'policy.near_limit', { policy: 'burst' })).toBe(1)
    expect(readValue(metrics, 'policy.near_limit', { policy: 'hourly' })).toBe(0)
  })

  test('how long checks and calls took, in buckets of seconds', async () => {
    const { clock, state, metrics, check } = collected()
    state.outcome = () => Promise.resolve().then(() => clock.advance(7))
    await check()
    for (const name of ['check.duration', 'store.operation.duration']) {
      const found = metrics.read().find((metric) => metric.name === name)
      const [point] = found?.points ?? []
      expect(point?.value).toBe(1)
      expect(point?.sum).toBeCloseTo(0.007)
      expect(found?.bounds?.[point?.buckets?.indexOf(1) ?? -1]).toBe(0.01)
    }
  })

  test('a value at the bound of a bucket in that bucket, and a large one in the last', async () => {
    const { clock, state, metrics, check } = collected({ timeout: '1m' })
    for (const took of [10, 20_000]) {
      state.outcome = () => Promise.resolve().then(() => clock.advance(took))
      await check()
    }
    const found = metrics.read().find(({ name }) => name === 'check.duration')
    const { bounds = [], points } = found ?? {}
    expect(points?.[0]?.buckets?.[bounds.indexOf(0.01)]).toBe(1)
    expect(points?.[0]?.buckets?.[bounds.length]).toBe(1)
  })

  test('errors of the store, and whether it is left alone', async () => {
    const { clock, state, metrics, check } = collected()
    await check()
    expect(readValue(metrics, 'breaker.open', { store: 'scripted' })).toBe(0)
    const error = { store: 'scripted', operation: 'take', error_type: 'unreachable' }
    expect(readValue(metrics, 'store.errors', error)).toBe(0)
    state.outcome = refused
    await check('203.0.113.8')
    await check('203.0.113.8')
    expect(readValue(metrics, 'store.errors', error)).toBe(1)
    expect(readValue(metrics, 'breaker.open', { store: 'scripted' })).toBe(1)
    expect(readValue(metrics, 'degraded', { reason: 'unreachable' })).toBe(1)
    expect(readValue(metrics, 'degraded', { reason: 'away' })).toBe(1)
    state.outcome = () => 'up'
    clock.advance(60_000)
    await check('203.0.113.9')
    await flush()
    expect(readValue(metrics, 'breaker.open', { store: 'scripted' })).toBe(0)
    expect(readValue(metrics, 'breaker.transitions', { state: 'open' })).toBe(1)
    expect(readValue(metrics, 'breaker.transitions', { state: 'closed' })).toBe(1)
  })

  test('units taken ahead, and spent of them', async () => {
    const { clock, metrics, check } = collected({ limit: 10_000, lease: true })
    const waitUntil = (work: Promise<unknown>) => void work
    for (let n = 1; n <= 200; n++) {
      await check('203.0.113.7', { waitUntil })
      await flush()
      clock.advance(20)
    }
    const spent = readValue(metrics, 'lease.units', { result: 'spent' }) ?? 0
    expect(spent).toBeGreaterThan(100)
    expect(readValue(metrics, 'lease.units', { result: 'taken' })).toBeGreaterThanOrEqual(spent)
    expect(readValue(metrics, 'store.operation.duration', { operation: 'refill' })).toBeGreaterThan(
      0,
    )
  })

  test('the limiters of several stores together', async () => {
    const metrics = collector({ log: false })
    await collected({ store: memory() }, metrics).check()
    await collected({}, metrics).check()
    expect(readValue(metrics, 'checks', { outcome: 'allowed', source: 'store' })).toBe(2)
    expect(readValue(metrics, 'breaker.open', { store: 'memory of this isolate' })).toBe(0)
  })
})

describe('a collector stays bounded', () => {
  test('at 100 policies, then counts them as _other', async () => {
    const metrics = collector({ log: false })
    const store = memory()
    for (let n = 0; n < 130; n++) {
      const policies = [{ name: `policy-${n}`, limit: 9, window: '1m' }] as const
      await collected({ policies, store }, metrics).check()
    }
    const points = metrics.read().find(({ name }) => name === 'units')?.points ?? []
    expect(points).toHaveLength(101)
    expect(readValue(metrics, 'units', { policy: '_other' })).toBe(30)
    expect(readValue(metrics, 'series.dropped')).toBeGreaterThanOrEqual(30)
  })

  test('at 100 clients, of which it keeps those that are refused most', async () => {
    const { metrics, check } = collected({ limit: 1, eventClients: 'plain' })
    for (let n = 0; n < 2000; n++) {
      await check('192.0.2.1')
      await check(`198.51.${n >> 8}.${n & 255}`)
      await check(`198.51.${n >> 8}.${n & 255}`)
    }
    const most = metrics.refusedMost()
    expect(most).toHaveLength(100)
    expect(most[0]?.client).toBe('192.0.2.1')
    expect((most[0]?.refused ?? 0) - (most[0]?.overestimate ?? 0)).toBe(1999)
    // A new client goes on from the count of the one that it replaces, so no refusal is lost.
    expect(most.reduce((sum, { refused }) => sum + refused, 0)).toBe(1999 + 2000)
  })

  test('and halves the counts of refused clients every 10 minutes, down to none', async () => {
    const clock = manualClock()
    const metrics = collector({ log: false, clock })
    const limit = { limit: 1, eventClients: 'plain', store: memory({ clock }), clock } as const
    const { check } = collected({ ...limit, window: '1d' }, metrics)
    const refuse = async (ip: string, times: number) => {
      await check(ip)
      for (let n = 0; n < times; n++) await check(ip)
    }
    const most = () => metrics.refusedMost().map(({ client, refused }) => `${client} ${refused}`)
    await refuse('192.0.2.1', 1000)
    clock.advance(599_999)
    expect(most()).toEqual(['192.0.2.1 1000'])
    clock.advance(1)
    await refuse('192.0.2.2', 300)
    expect(most()).toEqual(['192.0.2.1 500', '192.0.2.2 300'])
    clock.advance(600_000)
    await refuse('192.0.2.3', 200)
    expect(most()).toEqual(['192.0.2.1 250', '192.0.2.3 200', '192.0.2.2 150'])
    clock.advance(9 * 600_000)
    expect(most()).toEqual([])
  })

  test('at 400 series of one metric, whatever sources it is told', async () => {
    const metrics = collector({ log: false })
    const events: DecisionEvent[] = []
    const { check } = collected({ onDecision: (event) => void events.push(event) })
    await check()
    for (const event of events) {
      for (let n = 0; n < 500; n++)
        metrics.onDecision({ ...event, source: `source-${n}` as Source })
    }
    const points = metrics.read().find(({ name }) => name === 'checks')?.points ?? []
    expect(points).toHaveLength(401)
    expect(readValue(metrics, 'checks', { source: '_other' })).toBe(100)
    expect(readValue(metrics, 'series.dropped')).toBe(100)
  })

  test('without clients where the limiter names none', async () => {
    const { metrics, check } = collected({ limit: 1 })
    for (let n = 0; n < 3; n++) await check()
    expect(metrics.refusedMost()).toEqual([])
    expect(metrics.prometheus()).not.toContain('203.0.113.7')
  })
})

describe('a collector', () => {
  test('logs outages as a limiter does, unless `log` is false', async () => {
    const { warn } = console
    const lines: string[] = []
    console.warn = (line: string) => lines.push(line)
    try {
      for (const log of [true, false]) {
        const { state, check } = collected({}, collector({ log }))
        state.outcome = refused
        await check()
      }
    } finally {
      console.warn = warn
    }
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('this isolate decides alone until the store is back')
  })

  test('checks its options', () => {
    expect(() => collector({ every: '10 secs' as '10s' })).toThrow('every: expected a duration')
    expect(() => collector({ send: 'log' as never })).toThrow('send: expected a function')
    expect(() => collector({ sink: 1 } as never)).toThrow('sink: expected one of send, every')
  })
})
