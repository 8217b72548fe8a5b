import type { Demand, Grant } from '../stores/store.ts'

/**
 * What answers of a store have told of an open window, by this isolate's clock. Only durations
 * count: the trip to the store leaves the window's end uncertain by its length.
 */
export interface Sight {
  /** Units used at least. */
  readonly used: number
  /** When the question was sent. A clock that stands before it was set back. */
  readonly since: number
  /** Until when the window is certainly open: what an isolate does by itself ends here. */
  readonly until: number
  /** When the window has certainly ended: what a client is told. */
  readonly over: number
}

/**
 * What two clocks may differ by in a second: no daemon lets one run faster or slower than by 500
 * millionths (RFC 5905 §11.3), and each of the two may.
 */
const DRIFT = 1 / 1000

/** The sight while it is certain; nothing where the clock was set back, or the window has ended. */
export const open = (sight: Sight | undefined, now: number): Sight | undefined =>
  sight && sight.since <= now && now < sight.until ? sight : undefined

/** In ms from now until the window has certainly ended. */
export const resetIn = (sight: Sight, now: number): number => sight.over - now

/** Whether the demand is certain not to fit. */
export const isExhausted = (sight: Sight, { limit, cost }: Demand): boolean =>
  sight.used + cost > limit

/** Until when the window of an answer is certainly open, which was asked for at `since`. */
export const certainUntil = ({ resetIn, openFor = resetIn }: Grant, since: number): number =>
  // Two clocks that count whole milliseconds are one apart at most. The part of one that is left of
  // the drift counts, too.
  Math.floor(since + openFor * (1 - DRIFT)) - 1

/**
 * Whether an answer tells of another window than the one known: fewer units are used than were known
 * of it when asking, or it is open for longer than that one can be. The key was lost.
 */
export const beganAnew = (
  known: Sight,
  asked: Sight | undefined,
  grant: Grant,
  since: number,
): boolean =>
  // What answers have told of one window keeps the `since` of the first.
  (asked?.since === known.since && grant.used < asked.used) ||
  certainUntil(grant, since) > known.over

/**
 * What is known at `now` of an answer to a question that was sent at `since`, when `asked` was
 * known; `known` is what other answers have told meanwhile. Counts only grow in a window, so of
 * answers that overtook each other the larger one tells.
 */
export function learn(
  known: Sight | undefined,
  asked: Sight | undefined,
  grant: Grant,
  since: number,
  now: number,
): Sight | undefined {
  const { used, resetIn } = grant
  const told = open({ used, since, until: certainUntil(grant, since), over: now + resetIn }, now)
  const before = open(known, now)
  if (before === undefined || beganAnew(before, asked, grant, since)) return told
  if (now + resetIn < before.until) {
    // An answer to an older question is about a former window, which ended before this one opened. So
    // is one to a question of the same moment, if what it tells of is over.
    if (since < before.since || (since === before.since && told === undefined)) return before
    // The end was moved nearer: what was certain of it no longer is.
    return told && { ...told, used: Math.max(used, before.used) }
  }
  if (told === undefined) return before
  return {
    used: Math.max(used, before.used),
    since: before.since,
    until: Math.max(told.until, before.until),
    over: Math.min(told.over, before.over),
  }
}
