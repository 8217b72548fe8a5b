import type { Grant } from '../stores/store.ts'

/**
 * An open window as this isolate has observed it, by its own clock. Its end is uncertain by the
 * length of the trip to the store, so there are two times: `until` and `over`.
 */
export interface ObservedWindow {
  /** Units used at least. */
  readonly used: number
  /**
   * When the first call was sent that observed this window. If the clock reads an earlier time, it
   * was set back.
   */
  readonly since: number
  /** Until when the window is certainly open: what an isolate decides by itself ends here. */
  readonly until: number
  /**
   * The end of the window that clients are sent: the arrival of the answer plus the time left. It
   * is early by no more than the drift of the clocks.
   */
  readonly over: number
}

/**
 * How far two clocks may drift apart, in ms per ms. A time daemon lets a clock run up to 500 ppm
 * faster or slower (RFC 5905 §11.3), and the two clocks may drift in opposite directions.
 */
const DRIFT = 1 / 1000

/**
 * In ms. The first because a key still exists in the millisecond in which its `PTTL` ends, the
 * second because this isolate's clock counts whole milliseconds.
 */
const EXPIRY_MS = 2

/**
 * The window while it is certainly open; `undefined` once it may have ended, or the clock was set
 * back.
 */
export const ifOpen = (window: ObservedWindow | undefined, now: number) =>
  window && window.since <= now && now < window.until ? window : undefined

/** The window until the end that clients are sent. */
export const ifShown = (window: ObservedWindow | undefined, now: number) =>
  window && window.since <= now && now < window.over ? window : undefined

/** In ms until `over`. */
export const resetIn = ({ over }: ObservedWindow, now: number): number => over - now

/** In ms until a store is certain to grant a unit of the next window. */
export const retryIn = ({ over }: ObservedWindow, now: number): number => over - now + EXPIRY_MS

/**
 * Returns until when the window of an answer is certainly open, if the call was sent at `since`.
 */
export const certainUntil = ({ resetIn }: Grant, since: number): number =>
  // Two clocks that count whole milliseconds differ by up to 1 ms. The drift is rounded up to whole
  // milliseconds.
  Math.floor(since + resetIn * (1 - DRIFT)) - 1

/**
 * Whether an answer is about another window than `known`, since the key was lost: fewer units are
 * used than had been observed when the call was sent (`usedBefore`), or the window ends later than
 * `known` can end.
 */
export const isAnother = (
  known: ObservedWindow,
  usedBefore: number | undefined,
  grant: Grant,
  since: number,
): boolean =>
  (usedBefore !== undefined && grant.used < usedBefore) || certainUntil(grant, since) > known.over

/** Returns the window of an answer; `undefined` if that window may have ended. */
export const observe = ({ used, resetIn }: Grant, since: number, until: number, now: number) =>
  ifOpen({ used, since, until, over: now + resetIn }, now)

/**
 * Merges an answer about the window `before`, to a call sent at `since`, into that window. Counts
 * only grow within a window, so if answers arrive out of order, the larger count is newer.
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
    // The answer's window ends earlier than `before`. If its call was sent earlier, or in the same
    // millisecond and its window is over, the answer is about the previous window.
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
