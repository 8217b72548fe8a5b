import type { Demand, Grant } from '../stores/store.ts'
import type { Lease } from './lease.ts'
import {
  certainUntil,
  ifOpen,
  isAnother,
  merge,
  type ObservedWindow,
  observe,
} from './observed-window.ts'

/** All that this isolate knows of one key, and holds of it. */
export interface KeyRecord {
  /** Names the record. */
  readonly key: string
  window: ObservedWindow | undefined
  /**
   * Increases each time this isolate starts or forgets a window, so that an answer about an earlier
   * window is recognised. Times cannot tell them apart: two can begin in one millisecond.
   */
  windowId: number
  /** A call got no answer: the key may exist without expiry, until the store's script has looked. */
  isUncertain: boolean
  /** `undefined` if no policy leased the key so far. */
  lease: Lease | undefined
}

export const newRecord = (key: string): KeyRecord => ({
  key,
  window: undefined,
  windowId: 0,
  isUncertain: false,
  lease: undefined,
})

/** Forgets a window that may have ended, and the units that were taken from it. */
export const endWindow = (record: KeyRecord): void => begin(record, undefined)

/** Whether a unit held on lease may pay: two policies of one key may have different limits. */
export const canSpend = ({ window, lease }: KeyRecord, { cost, limit }: Demand): boolean =>
  window !== undefined &&
  lease !== undefined &&
  lease.units >= cost &&
  window.used - lease.units + cost <= limit

/** Whether the store is certain to refuse a demand that no unit held here pays for. */
export const isExhausted = (
  { window: known }: KeyRecord,
  { cost, limit, window }: Demand,
  now: number,
): boolean =>
  known !== undefined &&
  known.used + cost > limit &&
  // The store shortens a window that is longer than its policy's (of a new deployment, say).
  known.until - now <= window

/** A question about a key, and what was known of the key when it was sent. */
export interface Asked {
  /** Units to take ahead. */
  readonly reserve: number
  readonly windowId: number
  readonly window: ObservedWindow | undefined
}

/**
 * Learns from an answer at `now`, to a question that was sent at `since`. Returns whether the units
 * granted are certain to be of the window that is now known, so that they may be kept.
 */
export function learn(
  record: KeyRecord,
  asked: Asked,
  grant: Grant,
  since: number,
  now: number,
): boolean {
  const isSame = asked.windowId === record.windowId
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
    isAnother(before, isSame ? asked.window?.used : undefined, grant, since)
  if (isNew) begin(record, observe(grant, since, until, now))
  else keepOrEnd(record, merge(before, grant, since, now))
  return (isNew || isSame) && now < until
}

function keepOrEnd(record: KeyRecord, window: ObservedWindow | undefined): void {
  if (window === undefined) begin(record, undefined)
  else record.window = window
}

/** Another window begins, or none is known: units that were held end with the window before. */
function begin(record: KeyRecord, window: ObservedWindow | undefined): void {
  record.window = window
  record.windowId++
  if (record.lease) record.lease.units = 0
}
