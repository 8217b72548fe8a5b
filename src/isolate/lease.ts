import type { ObservedWindow } from './observed-window.ts'
import { expectedRequests, isHot, newRate, type RequestRate } from './request-rate.ts'

/*
 * The largest part of the units left, and of the time left, that one refill takes. Both were found
 * with `npm run simulate`, which fails if they are larger: with a larger share of the units a
 * client of a small limit that comes in bursts and moves between isolates loses units; with a
 * larger share of the time many isolates lose units in windows of two seconds.
 */
const UNITS_SHARE = 1 / 32
const TIME_SHARE = 1 / 4

/** After this time, a refill without an answer counts as lost. */
const REFILL_TIMEOUT_MS = 2000

const NEVER = Number.NEGATIVE_INFINITY

/** Units of a key that this isolate has taken in advance, and the rate of requests for the key. */
export interface Lease extends RequestRate {
  /**
   * Units taken and not spent. The store has counted them. They are lost when their window ends.
   */
  units: number
  /** How many units the last refill brought. */
  lastRefill: number
  /** Until when a refill may be on its way. */
  refillingUntil: number
}

export const newLease = (now: number): Lease => ({
  ...newRate(now),
  units: 0,
  lastRefill: 0,
  refillingUntil: NEVER,
})

/**
 * Returns how many units a call takes in advance: as many as the rate of requests in this isolate
 * needs for the shortest of `ahead`, the time for which the key has been busy (so that a client
 * that loads one page leaves no units behind), and a share of the time left. At most a share of the
 * units left. 0 if the key is not hot, no window is observed, or another refill is running.
 *
 * @param ahead for how many ms of requests the policy takes units in advance
 */
export function refillSize(
  lease: Lease,
  window: ObservedWindow | undefined,
  limit: number,
  ahead: number,
  now: number,
): number {
  if (window === undefined || !isHot(lease) || now < lease.refillingUntil) return 0
  const time = Math.min(ahead, now - lease.busySince, (window.until - now) * TIME_SHARE)
  const units = Math.min(expectedRequests(lease, time), (limit - window.used) * UNITS_SHARE)
  return Math.max(0, Math.floor(units))
}

/**
 * Whether to refill: the units left are at most 1, half of the last refill, or what two trips need.
 */
export const needsRefill = (lease: Lease, tripMs: number): boolean =>
  lease.units <= Math.max(1, expectedRequests(lease, 2 * tripMs), lease.lastRefill / 2)

export function startRefill(lease: Lease, now: number): void {
  lease.refillingUntil = now + REFILL_TIMEOUT_MS
}

export function endRefill(lease: Lease): void {
  lease.refillingUntil = NEVER
}

export function addUnits(lease: Lease, units: number): void {
  if (units <= 0) return
  lease.units += units
  lease.lastRefill = units
}
