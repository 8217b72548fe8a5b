import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { Hono } from 'hono'
import { Redis } from 'ioredis'
import { ip, memory } from 'tidegate'
import { rateLimit } from 'tidegate/hono'
import { collector } from 'tidegate/metrics'
import { openTelemetry } from 'tidegate/otel'
import { redis } from 'tidegate/redis'
import { LIMIT, WINDOW } from './quota.ts'

const PERIOD_MS = 10_000

/** Who listens to the decisions of an app. */
const LISTENERS = {
  nobody: () => ({}),
  'a collector'() {
    const { onDecision, onStoreEvent } = collector()
    return { onDecision, onStoreEvent }
  },
  /** Prometheus, a function, OpenTelemetry, and the clients that are refused most. */
  'every sink'() {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: PERIOD_MS })
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
    const counts = collector({ every: PERIOD_MS, send: (report) => void JSON.stringify(report) })
    setInterval(() => counts.prometheus(), PERIOD_MS).unref()
    const { onDecision, onStoreEvent } = openTelemetry({ collector: counts })
    return { onDecision, onStoreEvent, eventClients: 'plain' as const }
  },
}

export type Listening = keyof typeof LISTENERS

/** The same as `tidegate.ts`, with listeners; over a Redis if there is one, otherwise memory. */
export function app(listening: Listening, redisUrl?: string): Hono {
  const app = new Hono()
  const client = ip({ platform: 'cloudflare' })
  const store = redisUrl
    ? redis(new Redis(redisUrl, { autoResendUnfulfilledCommands: false }))
    : memory()
  app.use(rateLimit({ limit: LIMIT, window: WINDOW, store, client, ...LISTENERS[listening]() }))
  app.get('/', (c) => c.text('ok'))
  return app
}
