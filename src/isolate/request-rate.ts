/*
 * The numbers were found with `npm run simulate`: a client that sends one request a second, evenly
 * or at random times, and moves between isolates, is not hot in any isolate.
 */

/** From how many recent requests on a key is hot: a steady 2.5 a second, or a burst. */
const HOT_REQUESTS = 11

/** In this time the weight of a request falls to 1/e. */
const FADING_MS = 4500

/** Added to the time observed, so that the load of one page does not look like a high rate. */
const SETTLING_MS = 1000

/** The rate of requests for one key in this isolate. */
export interface RequestRate {
  /** Requests seen here, each fading with time. */
  recentRequests: number
  lastAt: number
  /** When `recentRequests` last fell below 1. */
  busySince: number
}

export const newRate = (now: number): RequestRate => ({
  recentRequests: 0,
  lastAt: now,
  busySince: now,
})

/** Counts a request. */
export function addRequest(rate: RequestRate, now: number): void {
  const idle = Math.max(0, now - rate.lastAt)
  const left = rate.recentRequests * Math.exp(-idle / FADING_MS)
  // A clock that was set back does not show how long the key has been busy.
  if (left < 1 || now < rate.lastAt) rate.busySince = now
  rate.recentRequests = left + 1
  rate.lastAt = now
}

export const isHot = ({ recentRequests }: RequestRate): boolean => recentRequests >= HOT_REQUESTS

/** How many requests are expected here within `ms`. */
export const expectedRequests = (
  { recentRequests, lastAt, busySince }: RequestRate,
  ms: number,
): number => ((recentRequests - 1) * ms) / Math.min(FADING_MS, lastAt - busySince + SETTLING_MS)
