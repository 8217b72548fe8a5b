/** What an SDK of OpenTelemetry exports if several modules report to it. */
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { afterEach, expect, test } from 'vitest'
import { createLimiter } from '../../src/index.ts'
import { collector } from '../../src/metrics/index.ts'
import { openTelemetry, type Telemetry } from '../../src/otel/open-telemetry.ts'
import { refused, scriptedStore } from '../support/scripted-store.ts'

const ended: (() => Promise<void>)[] = []
afterEach(async () => {
  metrics.disable()
  for (const end of ended.splice(0)) await end()
})

/** A provider in memory, and what it exports. */
function sdk() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  ended.push(() => provider.shutdown())
  async function points(name: string) {
    await reader.forceFlush()
    const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? []
    const found = scopes.flatMap((scope) => scope.metrics)
    return found.find(({ descriptor }) => descriptor.name === `tidegate.${name}`)?.dataPoints ?? []
  }
  /** The sum over all attributes. */
  async function totalOf(name: string) {
    const values = (await points(name)).map(({ value }) => value)
    return values.reduce<number>((sum, value) => (typeof value === 'number' ? sum + value : sum), 0)
  }
  return { provider, points, totalOf }
}

async function check(times: number, telemetry: Telemetry, scripted = scriptedStore()) {
  const { store, clock } = scripted
  const { onDecision, onStoreEvent } = telemetry
  const shared = { store, clock, timer: clock.timer, onDecision, onStoreEvent }
  const limiter = createLimiter({ limit: 100, window: '1m', ...shared })
  for (let n = 0; n < times; n++) {
    await limiter.check(new Request('https://example.com/'), { ip: '203.0.113.7' })
  }
}

test('two modules that call openTelemetry() lose no count', async () => {
  const { provider, totalOf } = sdk()
  metrics.setGlobalMeterProvider(provider)
  await check(10, openTelemetry())
  await check(3, openTelemetry())
  expect(await totalOf('checks')).toBe(13)
  expect(await totalOf('units')).toBe(13)
})

test('collectors that are given to one meter are added up, and gauges are not', async () => {
  const { provider, totalOf } = sdk()
  const meter = provider.getMeter('app')
  const away = scriptedStore({ label: 'away' })
  away.state.outcome = refused
  for (const checks of [10, 3]) {
    await check(checks, openTelemetry({ meter, collector: collector({ log: false }) }), away)
  }
  await check(2, openTelemetry({ meter }))
  expect(await totalOf('checks')).toBe(15)
  expect(await totalOf('breaker.open')).toBe(1)
})

test('an outage that two modules are told of counts once', async () => {
  const { provider, totalOf } = sdk()
  const meter = provider.getMeter('app')
  const away = scriptedStore({ label: 'away once' })
  away.state.outcome = refused
  for (let n = 0; n < 2; n++) await check(1, openTelemetry({ meter }), away)
  expect(await totalOf('breaker.transitions')).toBe(1)
})

test('times of calls have a bounded number of stores', async () => {
  const { provider, points } = sdk()
  const telemetry = openTelemetry({ meter: provider.getMeter('app') })
  for (let n = 0; n < 40; n++) await check(1, telemetry, scriptedStore({ label: `store ${n}` }))
  const times = await points('store.operation.duration')
  expect(times).toHaveLength(21)
  expect(times.map(({ attributes }) => attributes['tidegate.store'])).toContain('_other')
})
