import type { Clock, Timer } from '../clock.ts'
import type { StoreError } from '../errors.ts'

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
  /** Units that must be granted, 0 to `limit`; 0 without a `reserve` only looks. */
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
  /**
   * In ms until this demand could be granted; 0 if it was granted, or if only another demand did
   * not fit. Up to two more than `resetIn`: a key of Redis still exists in its last millisecond, and
   * two clocks that count whole milliseconds are one apart.
   */
  readonly retryIn: number
  /**
   * Only after a call with `observed`. `'observed'`: the units were counted in that window, and the
   * store did not look when it ends; `resetIn` and `retryIn` are 0. `'new'`: that window may be over.
   * @default neither is known
   */
  readonly window?: 'observed' | 'new'
  /**
   * Whether nobody knows `used` and `resetIn`, since another demand of the call was refused before
   * the store was asked. Both are 0 then.
   * @default false
   */
  readonly unseen?: boolean
  /**
   * Who decided, where it was not the store that was asked.
   * @default 'store'
   */
  readonly source?: Source
}

/**
 * Who decided: the shared store; this isolate, of units that it took ahead (`'lease'`), because it
 * knows that none are left (`'known'`), or alone while the store is away (`'local'`).
 */
export type Source = 'store' | 'lease' | 'known' | 'local'

/** What the caller has observed of an open window. */
export interface Observed {
  /** Units used at least. */
  readonly used: number
  /**
   * Whether the window is certain to be still open. A store calls this again once the backend has
   * answered: a count that comes later may have opened a window.
   */
  isOpen(): boolean
}

/** What a store may use besides the demands. */
export interface TakeOptions {
  /**
   * The open window of the call's one demand. A hint: a store for which a plain count is cheaper than
   * its whole rule (one command in place of three, in Redis) may use it, and every other ignores it.
   * @default nothing is known: the store applies its whole rule
   */
  readonly observed?: Observed | undefined
  /**
   * Aborted when the caller stops waiting. A store may end its request and throw, or ignore it. A unit
   * may have been counted all the same.
   */
  readonly signal?: AbortSignal | undefined
  /** Keeps work alive after the answer. Without it a store does nothing once it has answered. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/**
 * Where the counts live. Every sentence below that shows from outside has its case in the
 * conformance suite (`tidegate/testing`).
 *
 * - A window opens with the first unit taken for a policy and a client, and ends `window` ms later
 *   by the store's clock. Later takes never move its end. Looking (no cost, no reserve) opens none.
 * - In one window at most `limit` units are granted, also to calls at the same time, whatever their
 *   order; `used` never exceeds `limit`. A refused demand is charged nothing.
 * - One call is atomic over all its demands, which name different keys: each gets its cost, or none
 *   is charged anything. In the latter case `retryIn` is above 0 for those that did not fit, and 0
 *   for the others. A store that cannot do so for demands of different clients says `oneClient`,
 *   and rejects a call that has them; it never does half.
 * - `granted` holds as much of `reserve` as is left after the cost.
 * - Grants come in the order of their demands; no demands, no grants.
 * - `resetIn` may be late by a trip, never early by more than the store's clock resolves. Counted from
 *   the moment the question was sent it is never late.
 * - A client that waits `retryIn` after the answer finds that window ended.
 * - A window that cannot end in time (its expiry lost, a clock set back, a policy's window made
 *   shorter) ends `window` ms after the call that finds it; its count stays.
 * - A key that was evicted or flushed is a fresh window. If an operator sets a count below 0,
 *   `used` is 0, and the additional units are granted on top of the limit.
 * - Policies and clients never share a count with others, whatever characters they hold.
 * - It throws only when the backend failed, a `StoreError`; a refusal is a grant of 0. Error texts
 *   never hold keys, tokens or clients.
 * - Construction checks options and does nothing else: no I/O, no timer, no promise.
 *
 * `take` is all that a store must offer. What only some stores can do is a further, optional member:
 * `oneClient` limits `take`, and later members add to it (charging debts, settling costs, resetting a
 * key, algorithms other than the fixed window). If an option of a limiter needs a member that its
 * store lacks, `createLimiter` throws a `ConfigError` that names the feature. It never runs without it.
 *
 * The hint `TakeOptions.observed` changes the price of a call and never its result.
 */
export interface Store {
  take(demands: readonly Demand[], options?: TakeOptions): Promise<readonly Grant[]>
  /**
   * Whether all demands of one call must name one client, since another's counts live elsewhere.
   * The limiter then refuses, at construction, policies that count different clients.
   * @default false
   */
  readonly oneClient?: boolean
  /**
   * What a limiter puts before the store: `guard` of `tidegate` if an answer takes a trip, `'none'` if
   * the store counts in this isolate's memory. `createLimiter` throws a `ConfigError` if it is missing.
   */
  readonly guard?: Guard | 'none'
  /**
   * What the store is and where, for the log of `debug`: `upstash at eu1-calm-1234.upstash.io`. Never
   * contains a secret.
   */
  readonly label?: string | undefined
}

/** How a limiter wants a store guarded that is a trip away. */
export interface GuardOptions {
  /** In ms: how long a check may wait for the store. */
  readonly timeout: number
  /**
   * For how many ms of requests each policy that leases takes units ahead, by its name.
   * @default no policy leases
   */
  readonly ahead?: ReadonlyMap<string, number> | undefined
  /** The clock of what this isolate counts and knows by itself. */
  readonly clock: Clock
  /**
   * Measures the timeout.
   * @default the runtime's timer
   */
  readonly timer?: Timer | undefined
  /**
   * Called when the store stops answering.
   * @default logs a warning, and another one when the store is back; at most one pair a minute
   */
  readonly onStoreError?: ((error: StoreError) => unknown) | undefined
}

/** Wraps a remote store with what an isolate does by itself: deadline, fallback, leases. */
export type Guard = (store: Store, options: GuardOptions) => Store
