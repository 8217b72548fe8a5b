import { setTimeout as sleep } from 'node:timers/promises'
import { NO_FAULT } from '../../tests/support/faults/fault.ts'
import { incidents, type TimedIncident } from './incidents.ts'
import type { Isolates } from './isolates.ts'
import type { SoakedStore } from './store.ts'

export interface CauseOptions {
  readonly store: SoakedStore
  readonly isolates: Isolates
  readonly seed: number
  /** The names of the faults that come; `undefined`: all. */
  readonly faults: readonly string[] | undefined
  /** By `performance.now()`: when the last incident is over. */
  readonly end: number
}

/** Causes one incident after the other. Returns how often each came. */
export async function causeIncidents({ store, isolates, seed, faults, end }: CauseOptions) {
  const caused: Record<string, number> = {}
  for (const incident of incidents(seed, isolates.urls.length, faults)) {
    const { name, calm, duration } = incident
    if (performance.now() + calm + duration > end) break
    await sleep(calm)
    await begin(incident, store, isolates)
    await sleep(duration)
    await store.ask({ http: [], redis: NO_FAULT })
    if (incident.objects) await isolates.setObjectFault('none')
    caused[name] = (caused[name] ?? 0) + 1
  }
  return caused
}

async function begin(
  { http, redis, objects, isolate }: TimedIncident,
  store: SoakedStore,
  isolates: Isolates,
): Promise<void> {
  if (objects) await isolates.setObjectFault(objects)
  if (redis) await store.ask({ redis })
  if (http === undefined) return
  const met = isolates.urls.map((_, index) =>
    isolate === undefined || isolate === index ? http : NO_FAULT,
  )
  await store.ask({ http: met })
}
