/**
 * An application with an SDK of OpenTelemetry, which prints what its exporters received.
 * `tests/hosts/otel.test.ts` runs it with the oldest and the newest SDK.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createLimiter, memory } from 'tidegate'
import { openTelemetry } from 'tidegate/otel'
import { upstash } from 'tidegate/upstash'

/** Methods of the SDK 1.8, which options of the constructor replace in 2. */
interface Old {
  addMetricReader?(reader: unknown): void
  addSpanProcessor?(processor: unknown): void
}

const storage = new AsyncLocalStorage<Context>()
context.setGlobalContextManager({
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (active, run, self, ...args) => storage.run(active, () => run.apply(self, args)),
  bind: (_, target) => target,
  enable() {
    return this
  },
  disable() {
    return this
  },
})

const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({
  exporter: exported,
  exportIntervalMillis: 100,
  exportTimeoutMillis: 100,
})
// The telemetry exists before the SDK, as in a module that is imported first.
const { onDecision, onStoreEvent } = openTelemetry()
const provider = new MeterProvider({ readers: [reader] })
const old: Old = provider as Old
old.addMetricReader?.(reader)
metrics.setGlobalMeterProvider(provider)

const spans = new InMemorySpanExporter()
const processor = new SimpleSpanProcessor(spans)
const tracers = new BasicTracerProvider({ spanProcessors: [processor] })
const oldTracers: Old = tracers as Old
oldTracers.addSpanProcessor?.(processor)
trace.setGlobalTracerProvider(tracers)

const shared = { limit: 2, window: '1m', onDecision, onStoreEvent } as const
const limiter = createLimiter({ ...shared, name: 'api', store: memory(), eventClients: 'plain' })
const away = createLimiter({
  ...shared,
  store: upstash({ url: 'http://127.0.0.1:1', token: 'token' }),
})
const { warn } = console
console.warn = () => {}
await trace.getTracer('app').startActiveSpan('request', async (span) => {
  for (let n = 0; n < 3; n++) {
    await limiter.check(new Request('https://example.com/'), { ip: '203.0.113.7' })
  }
  span.end()
})
await away.check(new Request('https://example.com/'), { ip: '203.0.113.7' })
console.warn = warn

// `forceFlush` of the SDK 1.8 exports nothing.
exported.reset()
while (exported.getMetrics().length === 0) await new Promise((wake) => setTimeout(wake, 20))
const scopes = exported.getMetrics().at(-1)?.scopeMetrics ?? []
console.log(
  JSON.stringify({
    metrics: scopes.flatMap((scope) =>
      scope.metrics.map(({ descriptor: { name, unit }, dataPoints }) => ({
        name,
        unit,
        points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      })),
    ),
    events: spans.getFinishedSpans().flatMap((span) => span.events),
  }),
)
await reader.shutdown()
