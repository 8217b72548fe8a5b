import type { Demand, Grant } from '../stores/store.ts'
import type { Lease } from './lease.ts'
import { type LocalCount, newCount } from './local-count.ts'
import {
  certainUntil,
  ifOpen,
  ifShown,
  isAnother,
  merge,
  type ObservedWindow,
  observe,
} from './observed-window.ts'

/** What this isolate has observed of one key, and the units of the key that it holds. */
export interface KeyRecord {
  /** The record's key in the map of records. */
  readonly key: string
  window: ObservedWindow | undefined
  /**
   * Units of the window that are reserved and may be given back. They are not in `window.used`,
   * so nobody is refused because of them without a trip.
   */
  reserved: number
  /**
   * Increases each time this isolate starts or forgets a window, so that an answer about an earlier
   * window is recognised. Times cannot tell them apart: two can begin in one millisecond.
   */
  windowId: number
  /** Until when a client of the key is refused. Such a record is evicted last. */
  exhaustedUntil: number
  /** Whether a call got no answer: the key may lack an expiry until the store's script has run. */
  isUncertain: boolean
  /** Whether the key has to be looked at because of such a call, also if its client comes back. */
  needsHealing: boolean
  /** `undefined` if no policy leased the key so far. */
  lease: Lease | undefined
  /**
   * The count of an outage, or of a window that may have ended; `undefined` if the store has shown
   * the whole count.
   */
  local: LocalCount | undefined
}

export const newRecord = (key: string): KeyRecord => ({
  key,
  window: undefined,
  reserved: 0,
  windowId: 0,
  exhaustedUntil: Number.NEGATIVE_INFINITY,
  isUncertain: false,
  needsHealing: false,
  lease: undefined,
  local: undefined,
})

/**
 * Forgets a window that may have ended, and the units that were taken from it. If the store is away,
 * counting goes on until it has certainly ended.
 */
export function endWindow(record: KeyRecord, now: number): void {
  const window = shownWindow(record, now)
  const isCounted = record.local !== undefined && now < record.local.over
  if (window && !isCounted) record.local = newCount(window.used, window.over)
  begin(record, undefined)
}

/** The window until the end that clients are sent, with the units that are reserved. */
export function shownWindow({ window, reserved }: KeyRecord, now: number) {
  const shown = ifShown(window, now)
  return shown && reserved > 0 ? { ...shown, used: shown.used + reserved } : shown
}

/** Whether leased units may pay for a demand. Two policies of one key may have different limits. */
export const canSpend = ({ window, lease }: KeyRecord, { cost, limit }: Demand): boolean =>
  window !== undefined &&
  lease !== undefined &&
  lease.units >= cost &&
  window.used - lease.units + cost <= limit

/** Whether the store is certain to refuse a demand that is not paid by leased units. */
export const isExhausted = (
  { window: known }: KeyRecord,
  { cost, limit, window }: Demand,
  now: number,
): boolean =>
  known !== undefined &&
  Math.min(known.used, limit) + cost > limit &&
  // The store shortens a window that is longer than its policy's (of a new deployment, say).
  known.until - now <= window

/** A call to the store for a key, and the state of the record when it was sent. */
export interface SentDemand {
  /** Units to take in advance. */
  readonly reserve: number
  readonly windowId: number
  readonly window: ObservedWindow | undefined
  /** The count whose units the call charges. */
  readonly local: LocalCount | undefined
}

/**
 * Updates the record from an answer that arrived at `now` to a call sent at `since`. Returns
 * whether the granted units certainly belong to the window that the record now has, so that they
 * may be kept.
 */
export function learn(
  record: KeyRecord,
  sent: SentDemand,
  grant: Grant,
  since: number,
  now: number,
): boolean {
  const isSame = sent.windowId === record.windowId
  const before = ifOpen(record.window, now)
  if (grant.window === 'observed') {
    if (before === undefined || !isSame) return false
    if (grant.used > before.used) record.window = { ...before, used: grant.used }
    return true
  }
  record.isUncertain = false
  const until = certainUntil(grant, since)
  const isNew =
    before === undefined ||
    (isSame && grant.window === 'new') ||
    isAnother(before, isSame ? sent.window?.used : undefined, grant, since)
  if (isNew) begin(record, observe(grant, since, until, now))
  else keepOrEnd(record, merge(before, grant, since, now))
  return (isNew || isSame) && now < until
}

function keepOrEnd(record: KeyRecord, window: ObservedWindow | undefined): void {
  if (window === undefined) begin(record, undefined)
  else record.window = window
}

/** Replaces or forgets the window. Leased units of the previous window are lost. */
function begin(record: KeyRecord, window: ObservedWindow | undefined): void {
  record.window = window
  record.reserved = 0
  record.windowId++
  if (window) {
    record.exhaustedUntil = Number.NEGATIVE_INFINITY
    if (record.local?.granted === 0) record.local = undefined
  }
  if (record.lease) record.lease.units = 0
}
