import type { Demand, Fallback, Grant } from '../stores/store.ts'
import type { ObservedWindow } from './observed-window.ts'

/** Units of a key that were granted here, without the store, in one window. */
export interface LocalCount {
  /** Units used that the store had shown before. */
  readonly seen: number
  /** When the window ends. */
  readonly over: number
  granted: number
  /** Of the granted units, those that the store has not been charged with. */
  owed: number
}

/**
 * Returns the count of a key while its window lasts. A new count begins at what was last seen of
 * the open window and ends with it; without one it opens a window.
 */
export function localCount(
  count: LocalCount | undefined,
  window: ObservedWindow | undefined,
  demand: Demand,
  now: number,
): LocalCount {
  // A clock that was set back must not make the window longer than the policy's.
  if (count && now < count.over && count.over - now <= demand.window) return count
  const owed = 0
  if (window) return { seen: window.used, over: window.over, granted: 0, owed }
  return { seen: 0, over: now + demand.window, granted: 0, owed }
}

/** Whether the demand's cost fits. */
export function fitsLocally(
  { seen, granted }: LocalCount,
  { limit, cost }: Demand,
  fallback: Fallback,
): boolean {
  const unseen = Math.max(0, limit - seen)
  const share = typeof fallback === 'object' ? fallback.local : 1
  const allowance = Math.min(unseen, Math.max(1, Math.floor(unseen * share)))
  return granted + cost <= allowance
}

/** The grant of a demand that was counted here. */
export function countedGrant(
  { seen, granted, over }: LocalCount,
  demand: Demand,
  units: number,
  isRefused: boolean,
  now: number,
): Grant {
  return {
    granted: units,
    used: Math.min(demand.limit, seen + granted),
    resetIn: over - now,
    retryIn: isRefused ? over - now : 0,
    source: 'local',
  }
}
