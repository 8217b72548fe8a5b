/** Metrics and span events for OpenTelemetry: `tidegate/otel`. */
import { type Meter, metrics, trace } from '@opentelemetry/api'
import { assertKeys, assertOption } from '../checks.ts'
import type { DecisionEvent, DecisionHost } from '../limiter/decision-event.ts'
import { type Collector, collector as newCollector } from '../metrics/collector.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import { type Instruments, instrumentsOf } from './instruments.ts'
import { refusalAttributes } from './refusal-event.ts'

export interface OpenTelemetryOptions {
  /**
   * The collector whose counts are observed, if they are also read in another way.
   * @default one for all calls with the same `meter`
   */
  readonly collector?: Collector | undefined
  /**
   * The meter that makes the instruments.
   * @default that of the global meter provider, when the first event comes
   */
  readonly meter?: Meter | undefined
}

/** The two listeners to give to limiters. */
export interface Telemetry {
  /** For the option `onDecision` of limiters. */
  readonly onDecision: (event: DecisionEvent, host?: DecisionHost) => unknown
  /** For the option `onStoreEvent` of limiters. */
  readonly onStoreEvent: (event: StoreEvent) => unknown
}

/** By meter, or by the API for the global provider. */
const collectors = new WeakMap<object, Collector>()

/** The same for each module that calls `openTelemetry()`, so that an outage counts once. */
function collectorOf(target: object): Collector {
  const known = collectors.get(target) ?? newCollector()
  collectors.set(target, known)
  return known
}

/**
 * Passes metrics to the SDK of OpenTelemetry, and adds an event to the active span for each refused
 * request. Register the SDK's meter provider before the first request.
 * @example
 * const { onDecision, onStoreEvent } = openTelemetry()
 * const limiter = createLimiter({ limit: 100, window: '1m', store, onDecision, onStoreEvent })
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  assertKeys('', options, ['collector', 'meter'])
  const { meter } = options
  const { collector = collectorOf(meter ?? metrics) } = options
  assertOption(typeof collector?.read === 'function', 'collector', collector, 'a collector()')
  let made: Instruments | undefined
  /** Not at construction: the global provider is a dummy until the application registers its own. */
  const instruments = () =>
    (made ??= instrumentsOf(meter ?? metrics.getMeter('tidegate'), collector))

  return {
    onDecision(event, host) {
      const sending = collector.onDecision(event, host)
      instruments().record(event)
      if (!event.allowed) {
        const span = trace.getActiveSpan()
        if (span?.isRecording()) span.addEvent('tidegate.refused', refusalAttributes(event))
      }
      return sending
    },
    onStoreEvent: collector.onStoreEvent,
  }
}
