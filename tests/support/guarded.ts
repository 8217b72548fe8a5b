import type { Clock } from '../../src/clock.ts'
import { guard } from '../../src/isolate/guard.ts'
import type { GuardOptions } from '../../src/stores/guard-options.ts'
import type { Store } from '../../src/stores/store.ts'
import { able } from './able.ts'

/**
 * A guard around a store, as a limiter without leases makes it. Guards over one store share
 * records.
 */
export function guarded(store: Store, clock: Clock, more: Partial<GuardOptions> = {}): Store {
  const asked = able(store)
  const wrap = typeof asked.guard === 'function' ? asked.guard : guard
  return wrap(asked, {
    timeout: 3_600_000,
    clock,
    onStoreEvent: () => {},
    ...more,
  })
}

/** The option `policies` of which every policy leases, for this many ms of requests. */
export const allLease = (ahead: number): NonNullable<GuardOptions['policies']> =>
  Object.assign(new Map(), { get: () => ({ ahead }) })

/** The same in a new isolate, without any record of the store's keys. */
export const isolate = (store: Store, clock: Clock, more?: Partial<GuardOptions>): Store =>
  guarded({ ...store, identity: undefined }, clock, more)
