import type { Attributes, Histogram, Meter, Observable } from '@opentelemetry/api'
import type { DecisionEvent } from '../limiter/decision-event.ts'
import type { Collector } from '../metrics/collector.ts'
import { MAX_STORES } from '../metrics/instruments.ts'
import type { Metric } from '../metrics/metric.ts'
import { boundedNames } from '../metrics/series.ts'
import type { StoreCall } from '../stores/store-call.ts'

/** The instruments of one meter. */
export interface Instruments {
  /** Records how long the check and its calls took. All else is observed when it is exported. */
  record(event: DecisionEvent): void
}

interface Shared {
  readonly collectors: Set<Collector>
  readonly instruments: Instruments
}

/** An SDK keeps the last value that is observed for equal attributes, so the callback adds them up. */
const sharedBy = new WeakMap<Meter, Shared>()

/** Returns the instruments of a meter, which observe the sum of all collectors it was given. */
export function instrumentsOf(meter: Meter, collector: Collector): Instruments {
  const known = sharedBy.get(meter)
  if (known !== undefined) {
    known.collectors.add(collector)
    return known.instruments
  }
  const collectors = new Set([collector])
  const instruments = createInstruments(meter, collector.read(), () => sumOf(collectors))
  sharedBy.set(meter, { collectors, instruments })
  return instruments
}

interface Observed {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  value: number
}

/** A counter is the sum of all collectors. A gauge is 1 if it is 1 in any of them. */
function sumOf(collectors: Iterable<Collector>): Iterable<Observed> {
  const all = new Map<string, Observed>()
  for (const collector of collectors) {
    for (const { name, type, points } of collector.read()) {
      for (const { labels, value } of points) {
        const key = JSON.stringify([name, labels])
        const known = all.get(key)
        if (known === undefined) all.set(key, { name, labels, value })
        else known.value = type === 'gauge' ? Math.max(known.value, value) : known.value + value
      }
    }
  }
  return all.values()
}

/**
 * Names and units follow https://opentelemetry.io/docs/specs/semconv/general/metrics/: no unit in a
 * name, no `_total`, and what is counted in braces.
 */
function createInstruments(
  meter: Meter,
  all: readonly Metric[],
  read: () => Iterable<Observed>,
): Instruments {
  const observables = new Map<string, Observable>()
  const histograms = new Map<string, Histogram>()
  for (const { name, type, unit, help: description, bounds = [] } of all) {
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
      for (const { name, labels, value } of read()) {
        const observable = observables.get(name)
        if (observable) result.observe(observable, value, attributesOf(labels))
      }
    },
    [...observables.values()],
  )

  const ofChecks = histograms.get('check.duration')
  const ofCalls = histograms.get('store.operation.duration')
  const known = new Map<string, Attributes>()
  const storeName = boundedNames(MAX_STORES, () => {})
  function recordCall(label: string, { took, operation }: StoreCall): void {
    const store = storeName(label)
    const key = `${operation} ${store}`
    const attributes = known.get(key) ?? attributesOf({ store, operation })
    known.set(key, attributes)
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
