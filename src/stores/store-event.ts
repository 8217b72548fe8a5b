import type { StoreError } from '../errors.ts'

/**
 * What happens to a store, as one isolate sees it:
 * - `away`: calls fail, and from now on the isolate decides by the `fallback` of each policy.
 *   Reported once per outage to each limiter that meets it.
 * - `back`: the store answers again. Reported to the same limiters.
 * - `failed`: another call failed. This does not mean that the store is away: the error may be about
 *   one key, or the answer was a slow one among good ones. While the store is away, each probe
 *   without an answer is such a call.
 *
 * No event contains a key, a token or a client.
 */
export type StoreEvent =
  | {
      readonly type: 'away' | 'failed'
      /** The store's `label`, such as `upstash at eu1-calm-1234.upstash.io`. */
      readonly store: string
      readonly error: StoreError
    }
  | {
      readonly type: 'back'
      readonly store: string
      /** How long the outage lasted, in ms. */
      readonly lasted: number
      /** How many requests this isolate decided meanwhile. */
      readonly decided: number
      /** How many units this isolate granted meanwhile, and now charges the store with. */
      readonly owed: number
    }
