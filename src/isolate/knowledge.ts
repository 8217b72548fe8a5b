import type { Clock } from '../clock.ts'
import { getOrInsert } from '../get-or-insert.ts'
import { quietLog } from '../quiet-log.ts'
import type { CountedKey, Demand, Store } from '../stores/store.ts'
import type { StoreCall } from '../stores/store-call.ts'
import { type Breaker, newBreaker } from './breaker.ts'
import { type Lru, lru, MAX_KEYS } from './lru.ts'
import { type Outage, reportedOutage, type StoreListener } from './outage.ts'
import { outageLog } from './outage-log.ts'
import { type KeyRecord, newRecord } from './record.ts'

/** All that this isolate knows of one store. */
export interface Knowledge {
  readonly records: Lru<KeyRecord>
  readonly breaker: Breaker
  /** The breaker of each backend of the store, by `backendOf`. */
  readonly breakers: Lru<Breaker>
  /**
   * Records whose key has to be charged with what it owes, or may lack an expiry, and a demand for
   * each. At most `MAX_KEYS`: further keys are charged and healed when their clients come back.
   */
  readonly unmended: Map<KeyRecord, Demand>
  readonly outage: Outage
  /** The breakers that are open. */
  readonly away: Set<Breaker>
  /** The listener of limiters that have none. */
  readonly logListener: StoreListener
  /** How long the last answer took; negative if the clock was set back meanwhile. */
  tripMs: number
  /** Until when a call for the records that are unmended may be on its way. */
  mendingUntil: number
  /** The calls in the background that have ended since the last request that was watched. */
  readonly endedCalls: StoreCall[]
  /** How many unmended records one call covers: 1 if the server rejects calls for several. */
  keysPerCall: number
}

/** How many keys one call charges and heals. */
const MAX_KEYS_PER_CALL = 100

/** How many stores that are known by a text an isolate remembers. */
const MAX_STORES = 100

const byObject = new WeakMap<object, WeakMap<Clock, Knowledge>>()
const byText = lru<WeakMap<Clock, Knowledge>>(undefined, MAX_STORES)

/**
 * Returns what is known of a store by a clock. Limiters with different clocks know nothing of each
 * other, because the times of two clocks cannot be compared.
 */
export const knowledgeOf = (store: Store, clock: Clock): Knowledge =>
  getOrInsert(clocksOf(store), clock, () => newKnowledge(store, clock))

/** By `identity`, since limiters made for each request have stores of their own for one place. */
function clocksOf(store: Store): WeakMap<Clock, Knowledge> {
  const { identity = store } = store
  const make = () => new WeakMap<Clock, Knowledge>()
  return typeof identity === 'string'
    ? getOrInsert(byText, identity, make)
    : getOrInsert(byObject, identity, make)
}

function newKnowledge({ label = 'store' }: Store, clock: Clock): Knowledge {
  const listenerLog = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  return {
    records: lru<KeyRecord>(({ exhaustedUntil }) => exhaustedUntil > clock()),
    breaker: newBreaker(),
    breakers: lru<Breaker>(),
    unmended: new Map(),
    outage: reportedOutage(label, clock, listenerLog),
    logListener: outageLog(clock),
    away: new Set(),
    tripMs: 0,
    mendingUntil: Number.NEGATIVE_INFINITY,
    endedCalls: [],
    keysPerCall: MAX_KEYS_PER_CALL,
  }
}

/** How many ended calls are kept for the next request that is watched. The oldest are dropped. */
const MAX_ENDED_CALLS = 100

/** Keeps an ended call, unless it is that of a request. */
export function keepEnded({ endedCalls }: Knowledge, call: StoreCall | undefined): void {
  if (call === undefined || call.operation === 'take') return
  if (endedCalls.push(call) > MAX_ENDED_CALLS) endedCalls.shift()
}

/** Returns the breaker of the backend that a call reaches. */
export function breakerOf(
  { breaker, breakers }: Knowledge,
  { oneClient, backendOf }: Store,
  [first]: readonly { readonly demand: Demand }[],
): Breaker {
  if (!oneClient || first === undefined) return breaker
  const { client } = first.demand
  const backend = backendOf?.(client) ?? client
  return getOrInsert(breakers, backend, newBreaker)
}

/** In ms: an outage counts as over if no request has needed the backend for this long. */
const FORGOTTEN_MS = 300_000

/** Notes that a breaker has opened, or is still open. */
export function noteAway({ away }: Knowledge, breaker: Breaker): void {
  if (away.size < MAX_KEYS) away.add(breaker)
}

/** Notes that a backend has answered, and its breaker is closed. Returns whether no backend of the store is away. */
export function noteBack({ away }: Knowledge, breaker: Breaker, now: number): boolean {
  away.delete(breaker)
  for (const other of away) {
    if (now - other.probeAt < FORGOTTEN_MS) return false
    away.delete(other)
  }
  return true
}

/** Notes a key that has to be charged or healed. */
export function noteUnmended({ unmended }: Knowledge, record: KeyRecord, demand: Demand): void {
  if (unmended.size < MAX_KEYS) unmended.set(record, demand)
}

/** The key of a record. No policy's name contains a line break. */
export const keyOfRecord = ({ policy, client }: CountedKey): string => `${client}\n${policy}`

/** Returns the record of a demand's key, and creates it if there is none. */
export function recordFor(records: Lru<KeyRecord>, { policy, client }: Demand): KeyRecord {
  // `keyOfRecord`, without a call in each check.
  const key = `${client}\n${policy}`
  const known = records.get(key)
  if (known !== undefined) return known
  const record = newRecord(key)
  records.set(key, record)
  return record
}

/** Forgets what is known of a key, and what it owes. */
export function forget({ records, unmended }: Knowledge, counted: CountedKey): void {
  const key = keyOfRecord(counted)
  const record = records.get(key)
  if (record) unmended.delete(record)
  records.delete(key)
}
