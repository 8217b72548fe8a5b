import type { Clock } from '../clock.ts'
import type { Demand, Store } from '../stores/store.ts'
import { type Lru, lru } from './lru.ts'
import { type KeyRecord, newRecord } from './record.ts'

const recordsByStore = new WeakMap<Store, WeakMap<Clock, Lru<KeyRecord>>>()

/**
 * Returns the records of a store's keys for a clock. Limiters with different clocks get records of
 * their own, because the times of two clocks cannot be compared.
 */
export function recordsOf(store: Store, clock: Clock): Lru<KeyRecord> {
  const byClock = recordsByStore.get(store) ?? new WeakMap<Clock, Lru<KeyRecord>>()
  recordsByStore.set(store, byClock)
  const records = byClock.get(clock) ?? lru<KeyRecord>()
  byClock.set(clock, records)
  return records
}

/** Returns the record of a demand's key, and creates it if there is none. */
export function recordFor(records: Lru<KeyRecord>, { policy, client }: Demand): KeyRecord {
  // No policy's name contains a line break.
  const key = `${client}\n${policy}`
  const known = records.get(key)
  if (known !== undefined) return known
  const record = newRecord(key)
  records.set(key, record)
  return record
}
