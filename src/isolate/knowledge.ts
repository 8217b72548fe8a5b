import type { Clock } from '../clock.ts'
import type { Demand, Store } from '../stores/store.ts'
import { type Breaker, newBreaker } from './breaker.ts'
import { type Lru, lru } from './lru.ts'
import { type KeyRecord, newRecord } from './record.ts'

/** All that this isolate knows of one store. */
export interface Knowledge {
  readonly records: Lru<KeyRecord>
  readonly breaker: Breaker
  /** Of a store that counts each client elsewhere: by client. */
  readonly breakers: Lru<Breaker>
  /** Records with units owed to the store, and the demand that owes them. */
  readonly debtors: Map<KeyRecord, Demand>
}

const knowledgeByStore = new WeakMap<Store, WeakMap<Clock, Knowledge>>()

/**
 * Returns what is known of a store by a clock. Limiters with different clocks know nothing of each
 * other, because the times of two clocks cannot be compared.
 */
export function knowledgeOf(store: Store, clock: Clock): Knowledge {
  const byClock = knowledgeByStore.get(store) ?? new WeakMap<Clock, Knowledge>()
  knowledgeByStore.set(store, byClock)
  const knowledge = byClock.get(clock) ?? {
    records: lru<KeyRecord>(({ exhaustedUntil }) => exhaustedUntil > clock()),
    breaker: newBreaker(),
    breakers: lru<Breaker>(),
    debtors: new Map(),
  }
  byClock.set(clock, knowledge)
  return knowledge
}

/** Returns the breaker of a client's own backend, such as a Durable Object. */
export function breakerFor({ breakers }: Knowledge, client: string): Breaker {
  const known = breakers.get(client)
  if (known !== undefined) return known
  const breaker = newBreaker()
  breakers.set(client, breaker)
  return breaker
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
