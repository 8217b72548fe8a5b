/** What one policy asks for one client. The store names its own key from the two (`keyOf`). */
export interface Demand {
  /** '' for the one unnamed policy. */
  readonly policy: string
  /** Never empty; already hashed where it had to be. */
  readonly client: string
  /** Units per window, a whole number from 1. */
  readonly limit: number
  /** In ms, a whole number from 1. */
  readonly window: number
  /** Units that must be granted, 0 to `limit`; 0 only looks. */
  readonly cost: number
  /**
   * Further units to take along if there are any.
   * @default 0
   */
  readonly reserve?: number
}

/** What the store did, and what it knows. */
export interface Grant {
  /** Units granted: 0 when refused, else `cost` … `cost + reserve`. */
  readonly granted: number
  /** Units used in this window after the call, 0 … `limit`. */
  readonly used: number
  /** In ms until the window ends, by the store's clock; 0 when none is open. */
  readonly resetIn: number
  /** In ms until this demand could be granted; 0 when it was, or was refused for another's sake. */
  readonly retryIn: number
  /**
   * Who decided, where it was not the store that was asked.
   * @default 'store'
   */
  readonly source?: Source
}

/** Who decided: the shared store, or this isolate alone while the store is away. */
export type Source = 'store' | 'local'

/**
 * Where the counts live. Every sentence below that shows from outside has its case in the
 * conformance suite (`tidegate/testing`).
 *
 * - A window opens with the first unit taken for a policy and a client, and ends `window` ms later
 *   by the store's clock. Later takes never move its end. Looking opens none.
 * - In one window at most `limit` units are granted, also to calls at the same time, whatever
 *   their order; `used` never exceeds `limit`. A refused demand is charged nothing.
 * - One call is atomic over all its demands, which name different keys: each gets its cost, or none
 *   is charged anything. In the latter case `retryIn` is above 0 for those that did not fit, and 0
 *   for the others. A store that cannot do so for demands of different clients says `oneClient`, and
 *   rejects a call that has them; it never does half.
 * - `granted` holds as much of `reserve` as is left after the cost.
 * - Grants come in the order of their demands; no demands, no grants.
 * - `resetIn` may be late by a trip, never early by more than the store's clock resolves.
 * - A window that cannot end in time (its expiry lost, a clock set back, a policy's window made
 *   shorter) ends `window` ms after the call that finds it; its count stays.
 * - A key that was evicted or flushed is a fresh window.
 * - Policies and clients never share a count with others, whatever characters they hold.
 * - It throws only when the backend failed, a `StoreError`; a refusal is a grant of 0. Error
 *   texts never hold keys, tokens or clients.
 * - Construction checks options and does nothing else: no I/O, no timer, no promise.
 */
export interface Store {
  take(
    demands: readonly Demand[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly Grant[]>
  /**
   * Whether all demands of one call must name one client, since another's counts live elsewhere.
   * The limiter then refuses, at construction, policies that count different clients.
   * @default false
   */
  readonly oneClient?: boolean
  /**
   * Whether it answers from this isolate's memory, so that no deadline and no fallback are needed.
   * @default false
   */
  readonly local?: boolean
}
