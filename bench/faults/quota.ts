/** What every limiter is told: units per client and window. */
export const LIMIT = 100
/** Longer than a whole round, so that no window ends within it. */
export const WINDOW_MS = 600_000
/** How many isolates share the limit. */
export const ISOLATES = 4
/** How long a limiter may wait for its store, where it has such a setting. */
export const TIMEOUT_MS = 1000

/** The header that names the client of a request. */
export const CLIENT = 'x-client'
/** Who decided a request, as the limiter says: `store`, or `here`. */
export const DECIDED = 'x-decided'
/** How many units are left, as the limiter says. */
export const LEFT = 'x-left'

/** Where a limiter finds its store. */
export interface StorePlace {
  readonly url: string
  readonly token: string
  readonly redisUrl: string
}
