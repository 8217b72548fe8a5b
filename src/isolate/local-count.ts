import type { Fallback } from '../stores/guard-options.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { ObservedWindow } from './observed-window.ts'

/**
 * The count of a key in one window, as this isolate keeps it while the store is away, and then
 * until the store shows as many units.
 */
export interface LocalCount {
  /** Units used that the store has shown. */
  seen: number
  /** When the window ends. */
  over: number
  /** Units granted by this isolate. The store may not have counted all of them. */
  granted: number
  /** Of the granted units, those that no call has charged. */
  owed: number
  /** When the first of these was granted. */
  owedSince: number
}

/** A window that this isolate has seen, or the one that a request opens here. */
export const newCount = (seen: number, over: number): LocalCount => ({
  seen,
  over,
  granted: 0,
  owed: 0,
  owedSince: 0,
})

/**
 * Returns the count of a key while its window lasts. A new count begins at what was last seen of
 * the open window and ends with it; without such a window it opens one.
 */
export function localCount(
  count: LocalCount | undefined,
  window: ObservedWindow | undefined,
  demand: Demand,
  now: number,
): LocalCount {
  const open = count && now < count.over ? count : newCount(0, window?.over ?? now + demand.window)
  // As the store does: a window is never longer than its policy's.
  open.over = Math.min(open.over, now + demand.window)
  // Some of the units granted here may be among those that the store has shown.
  if (window) open.seen = Math.max(open.seen, window.used - open.granted)
  return open
}

/**
 * Whether units were granted here in a window that is still open. If it lasts longer than a window
 * can, the clock was set back.
 */
export const isCounting = ({ granted, over }: LocalCount, { window }: Demand, now: number) =>
  granted > 0 && now < over && over - now <= window

/** How many units of a demand's limit this isolate may still grant. */
export function unitsLeft(
  { seen, granted }: LocalCount,
  { limit }: Demand,
  fallback: Fallback,
): number {
  const unseen = Math.max(0, limit - seen)
  const share = typeof fallback === 'object' ? fallback.local : 1
  return Math.min(unseen, Math.max(1, Math.floor(unseen * share))) - granted
}

/** The grant of a demand that was counted here. */
export function countedGrant(
  { over }: LocalCount,
  { limit }: Demand,
  granted: number,
  left: number,
  isRefused: boolean,
  now: number,
  source: 'local' | 'known' = 'local',
): Grant {
  return {
    granted,
    used: Math.min(limit, limit - left + granted),
    resetIn: over - now,
    retryIn: isRefused ? over - now : 0,
    source,
  }
}
