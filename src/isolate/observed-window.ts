import type { Grant } from '../stores/store.ts'

/**
 * An open window as this isolate has observed it, by its own clock. Its end is uncertain by the length
 * of the trip to the store, so there are two times: `until` and `over`.
 */
export interface ObservedWindow {
  /** Units used at least. */
  readonly used: number
  /**
   * When the first call was sent that observed this window. If the clock reads an earlier time, it was
   * set back.
   */
  readonly since: number
  /** Until when the window is certainly open: what an isolate decides by itself ends here. */
  readonly until: number
  /**
   * When clients are told that the window ends: when the answer arrived plus the time left. Early by no
   * more than the clocks' drift.
   */
  readonly over: number
}

/**
 * How far two clocks may drift apart, in ms per ms: no daemon lets one run faster or slower than by
 * 500 millionths (RFC 5905 §11.3), and each of the two may.
 */
const DRIFT = 1 / 1000

/**
 * In ms. One because a key expires in the millisecond after the one that its `PTTL` names, one
 * because this isolate's clock counts whole milliseconds.
 */
const EXPIRY_MS = 2

/** The window while it is certainly open; `undefined` once it may have ended, or the clock was set back. */
export const ifOpen = (window: ObservedWindow | undefined, now: number) =>
  window && window.since <= now && now < window.until ? window : undefined

/** In ms until `over`. */
export const resetIn = ({ over }: ObservedWindow, now: number): number => over - now

/** In ms until a store is certain to grant a unit of the next window. */
export const retryIn = ({ over }: ObservedWindow, now: number): number => over - now + EXPIRY_MS

/** Until when the window of an answer is certainly open, if the question was sent at `since`. */
export const certainUntil = ({ resetIn }: Grant, since: number): number =>
  // Two clocks that count whole milliseconds are one apart at most. A fraction that is left of the
  // drift counts as a whole millisecond.
  Math.floor(since + resetIn * (1 - DRIFT)) - 1

/**
 * Whether an answer is about another window than the known one: fewer units are used than were known
 * to be when the question was sent (`usedBefore`), or the window is open for longer than the known
 * one can be. Then the key was lost.
 */
export const isAnother = (
  known: ObservedWindow,
  usedBefore: number | undefined,
  grant: Grant,
  since: number,
): boolean =>
  (usedBefore !== undefined && grant.used < usedBefore) || certainUntil(grant, since) > known.over

/** The window that an answer is about, as far as that answer tells; `undefined` if it may have ended. */
export const observe = ({ used, resetIn }: Grant, since: number, until: number, now: number) =>
  ifOpen({ used, since, until, over: now + resetIn }, now)

/**
 * What is known of the window `before` at `now`, after an answer about it to a question sent at
 * `since`. Counts only grow in a window, so of answers that overtook each other the larger count is
 * the newer one.
 */
export function merge(
  before: ObservedWindow,
  grant: Grant,
  since: number,
  now: number,
): ObservedWindow | undefined {
  const seen = observe(grant, since, certainUntil(grant, since), now)
  const used = Math.max(grant.used, before.used)
  if (now + grant.resetIn < before.until) {
    // This answer's window ends before the known one. If its call was sent earlier, or in the same
    // millisecond and its window is over, it is late news of the previous window.
    if (since < before.since || (since === before.since && seen === undefined)) return before
    // Otherwise the window was shortened.
    return seen && { ...seen, used }
  }
  if (seen === undefined) return before
  return {
    used,
    since: before.since,
    until: Math.max(seen.until, before.until),
    over: Math.min(seen.over, before.over),
  }
}
