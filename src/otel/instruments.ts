import type { Attributes, Histogram, Meter, Observable } from '@opentelemetry/api'
import type { DecisionEvent } from '../limiter/decision-event.ts'
import type { Collector } from '../metrics/collector.ts'
import type { StoreCall } from '../stores/store-call.ts'

/** The instruments of one meter. */
export interface Instruments {
  /** Records how long the check and its calls took. All else is observed when it is exported. */
  record(event: DecisionEvent): void
}

/** Attributes of calls that are kept. */
const MAX_KNOWN = 100

/**
 * Names and units follow https://opentelemetry.io/docs/specs/semconv/general/metrics/: no unit in a
 * name, no `_total`, and what is counted in braces.
 */
export function createInstruments(meter: Meter, collector: Collector): Instruments {
  const observables = new Map<string, Observable>()
  const histograms = new Map<string, Histogram>()
  for (const { name, type, unit, help: description, bounds = [] } of collector.read()) {
    const full = `tidegate.${name}`
    const options = { unit, description }
    if (type === 'histogram') {
      // Old SDKs ignore `advice`. Their default buckets are too coarse for seconds.
      const advice = { explicitBucketBoundaries: [...bounds] }
      histograms.set(name, meter.createHistogram(full, { ...options, advice }))
    } else if (type === 'counter') {
      observables.set(name, meter.createObservableCounter(full, options))
    } else {
      observables.set(name, meter.createObservableGauge(full, options))
    }
  }
  meter.addBatchObservableCallback(
    (result) => {
      for (const { name, points } of collector.read()) {
        const observable = observables.get(name)
        if (observable === undefined) continue
        for (const { labels, value } of points) {
          result.observe(observable, value, attributesOf(labels))
        }
      }
    },
    [...observables.values()],
  )

  const ofChecks = histograms.get('check.duration')
  const ofCalls = histograms.get('store.operation.duration')
  const known = new Map<string, Attributes>()
  function recordCall(store: string, { took, operation }: StoreCall): void {
    const key = `${operation} ${store}`
    const attributes = known.get(key) ?? attributesOf({ store, operation })
    if (known.size < MAX_KNOWN) known.set(key, attributes)
    ofCalls?.record(took / 1000, attributes)
  }

  return {
    record({ took, store = 'store', call, background }) {
      ofChecks?.record(took / 1000)
      if (call) recordCall(store, call)
      for (const ended of background) recordCall(store, ended)
    },
  }
}

/** Labels as attributes: `error.type` of the conventions, and all others in a namespace. */
export function attributesOf(labels: Readonly<Record<string, string>>): Attributes {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name === 'error_type' ? 'error.type' : `tidegate.${name}`,
      value,
    ]),
  )
}
