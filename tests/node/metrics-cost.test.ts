/** What metrics cost the store: nothing. */
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { createLimiter, type SharedOptions } from '../../src/index.ts'
import { collector, type MetricsReport } from '../../src/metrics/index.ts'
import { openTelemetry } from '../../src/otel/open-telemetry.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startGateway } from '../support/gateway-server.ts'
import { startRedis } from '../support/redis-server.ts'

// Of this test alone, since all commands of the server are counted.
const server = await startRedis()
const redis = new Redis(server.url)
const gateway = await startGateway(server.url)
afterAll(async () => {
  await gateway.stop()
  redis.disconnect()
  await server.stop()
})

/** All commands that Redis has run, those of scripts included, without INFO. */
async function commands(): Promise<Readonly<Record<string, number>>> {
  const stats = await redis.info('commandstats')
  const found = [...stats.matchAll(/cmdstat_(?!info|config)(\S+?):calls=(\d+)/g)]
  return Object.fromEntries(found.map(([, name, calls]) => [name, Number(calls)]))
}

/** Runs 31 checks: of windows that open, of one that is used up, and of a lease. */
async function run(listeners: Partial<SharedOptions>) {
  await redis.flushall()
  await redis.config('RESETSTAT')
  gateway.seen.requests = 0
  // An isolate shares what it knows between stores with the same prefix.
  const store = upstash(gateway, { prefix: crypto.randomUUID() })
  const limiter = createLimiter({ limit: 5, window: '1h', store, ...listeners })
  const leasing = createLimiter({
    policies: [{ name: 'hot', limit: 100_000, window: '1h', lease: true }],
    store,
    ...listeners,
  })
  const check = (tried: typeof limiter, ip: string) =>
    tried.check(new Request('https://example.com/'), { ip })
  for (let n = 0; n < 20; n++) await check(limiter, `198.51.100.${n}`)
  for (let n = 0; n < 10; n++) await check(limiter, '203.0.113.7')
  // Refills depend on the rate of requests, so the lease is not compared beyond its first check.
  await check(leasing, '203.0.113.8')
  return { commands: await commands(), requests: gateway.seen.requests }
}

test('with every sink, the store gets the same commands as without', async () => {
  const without = await run({})
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  const reports: MetricsReport[] = []
  const counts = collector({ every: 1, send: (report) => void reports.push(report) })
  const { onDecision, onStoreEvent } = openTelemetry({ collector: counts })
  const listened = await run({ onDecision, onStoreEvent, eventClients: 'hashed' })
  await reader.forceFlush()
  // Every sink has got something.
  expect(counts.prometheus()).toContain('tidegate_checks_total{outcome="refused",source="known"} 5')
  expect(reports.length).toBeGreaterThan(1)
  expect(exporter.getMetrics().length).toBeGreaterThan(0)
  expect(counts.refusedMost()).toHaveLength(1)
  await reader.shutdown()

  expect(Object.keys(without.commands).length).toBeGreaterThan(2)
  expect(listened).toEqual(without)
})
