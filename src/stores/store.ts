import type { GuardOptions } from './guard-options.ts'
import type { CallWatch } from './store-call.ts'

/** The units that one policy requests for one client. Both together make the key (`keyOf`). */
export interface Demand {
  /** '' for the one unnamed policy. */
  readonly policy: string
  /** Never empty. A secret or personal text is hashed already. */
  readonly client: string
  /** Units per window, a whole number from 1. */
  readonly limit: number
  /** In ms, a whole number from 1. */
  readonly window: number
  /** Units that must be granted, 0 to `limit`. 0 without a `reserve` only reads the count. */
  readonly cost: number
  /**
   * Additional units to take, as far as units are left.
   * @default 0
   */
  readonly reserve?: number
  /**
   * Units that an isolate granted while the store was away. They are charged before the cost.
   * @default none
   */
  readonly owed?: Owed | undefined
  /**
   * Whether the units may be settled later: a text that is different for each call. If the demand
   * opens a window, the window has this name.
   * @default the units are not settled
   */
  readonly settling?: string | undefined
}

/** A policy and a client: the count of one key. */
export type CountedKey = Pick<Demand, 'policy' | 'client'>

/** What was really used of the units that a demand took. */
export interface Settlement extends CountedKey {
  /** The decision whose units are settled. A window has each of its decisions settled once. */
  readonly id: string
  /** The name of the window of which the units were taken: `windowName` of the grant. */
  readonly windowName: string
  /** Units taken. */
  readonly reserved: number
  /** Units really used: more than `reserved` is possible, also beyond the limit. */
  readonly used: number
}

/** Units that an isolate granted while the store was away, and the window in which it did so. */
export interface Owed {
  /** At least 1. As many are charged as are left. */
  readonly units: number
  /** In ms since the first unit was granted. A window that is younger is not charged. */
  readonly age: number
  /** In ms until that window ends, 1 to `window`. Where no window is open, the units open this. */
  readonly rest: number
}

/** The store's answer to one demand. */
export interface Grant {
  /** Units granted: 0 when refused, else `cost` … `cost + reserve`. */
  readonly granted: number
  /** Units used in this window after the call, 0 … `limit`. */
  readonly used: number
  /** In ms until the window ends, by the store's clock; 0 when none is open. */
  readonly resetIn: number
  /**
   * In ms until this demand could be granted; 0 if it was granted, or if only another demand did
   * not fit. Up to two more than `resetIn`: a key of Redis still exists in its last millisecond,
   * and two clocks that count whole milliseconds are one apart.
   */
  readonly retryIn: number
  /**
   * Only after a call with `observed`. `'observed'`: the units were counted in that window, and the
   * store did not look when it ends; `resetIn` and `retryIn` are 0. `'new'`: that window may be
   * over.
   * @default neither is known
   */
  readonly window?: 'observed' | 'new'
  /**
   * Only for a demand with `settling`: the name of the open window, which a settlement needs.
   */
  readonly windowName?: string | undefined
  /**
   * Only for a demand with `settling`: how many of the used units are settled. Within a window this
   * number only grows.
   * @default 0: the isolate refuses no such client without a call
   */
  readonly settled?: number | undefined
  /**
   * Whether `used` and `resetIn` are unknown, and so 0: another demand of the call was refused
   * before the store was called.
   * @default false
   */
  readonly unseen?: boolean
  /**
   * What decided, if the store that was called did not.
   * @default 'store'
   */
  readonly source?: Source
}

/**
 * Who decided: the shared store; this isolate, of units that it took ahead (`'lease'`), because it
 * knows that none are left (`'known'`); or, while the store is away, this isolate by the policy's
 * `fallback` (`'local'`, `'open'`, `'closed'`).
 */
export type Source = 'store' | 'lease' | 'known' | 'local' | 'open' | 'closed'

/** What the caller has observed of an open window. */
export interface Observed {
  /** Units used at least. */
  readonly used: number
  /**
   * Whether the window is certain to be still open. A store calls this again once the backend has
   * answered: a count that arrives after the window's end opens another window.
   */
  isOpen(): boolean
}

/** What a store may use besides the demands. */
export interface TakeOptions {
  /**
   * The open window of a call with one demand. This is a hint: a store for which a plain count is
   * cheaper than its whole rule (one command in place of three, in Redis) may use it. Other stores
   * ignore it.
   * @default no window has been observed: the store applies its whole rule
   */
  readonly observed?: Observed | undefined
  /**
   * Aborted when the caller stops waiting. A store may end its request and throw, or ignore it. A
   * unit may have been counted all the same.
   */
  readonly signal?: AbortSignal | undefined
  /** Keeps work alive after the answer. Without it a store does nothing once it has answered. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /**
   * Watches the calls that `guard` sends to the store: that of this take, and those that follow in
   * the background. A store itself ignores it.
   * @default nobody watches
   */
  readonly watch?: CallWatch | undefined
}

/**
 * Keeps the counts. For every sentence below that a caller can observe, the conformance suite
 * (`tidegate/testing`) has a test.
 *
 * - A window opens with the first unit taken for a policy and a client, and ends `window` ms later
 *   by the store's clock. Later takes never move its end. A take without cost and reserve opens no
 *   window. A window of which all units were given back has ended: the next unit opens another one.
 * - In one window at most `limit` units are granted, also to concurrent calls in any order. `used`
 *   never exceeds `limit`. A refused demand is charged nothing.
 * - One call is atomic over all its demands, which name different keys: either each demand gets its
 *   cost, or no demand is charged. If no demand is charged, `retryIn` is above 0 for the demands
 *   that did not fit, and 0 for the others. A store that cannot be atomic over demands of different
 *   clients sets `oneClient`, and rejects a call with such demands.
 * - `granted` contains as much of `reserve` as is left after the cost.
 * - Units that are `owed` are charged whether or not the costs are granted, and are not part of
 *   `granted`. A window that opened after they were granted is not charged. If no window is open,
 *   they open one that ends when theirs would have ended.
 * - Grants are in the order of their demands. Without demands there are no grants.
 * - `resetIn` may be late by a trip, but never early by more than the resolution of the store's
 *   clock. Counted from the moment the call was sent, it is never late.
 * - A client that waits `retryIn` after the answer finds that window ended.
 * - A window that cannot end in time (its expiry lost, a clock set back, a policy's window made
 *   shorter) ends `window` ms after the call that finds it; its count stays.
 * - A key that was evicted or flushed is a fresh window. If an operator sets a count below 0,
 *   `used` is 0, and the additional units are granted on top of the limit.
 * - Different policies and clients never share a count, whatever characters their names contain.
 * - It throws a `StoreError` if the backend failed, and nothing else. A refusal is a grant of 0.
 *   Error texts never contain keys, tokens or clients.
 * - Construction checks options and does nothing else: no I/O, no timer, no promise.
 *
 * `take` is all that a store must offer. What only some stores can do is a further, optional
 * member: `oneClient` limits `take`; `settle` and `reset` add to it. If an option of a limiter
 * needs a member that its store lacks, `createLimiter` throws a `ConfigError` that names the
 * feature. It never runs without it.
 *
 * The hint `TakeOptions.observed` may make a call cheaper. It never changes the result.
 */
export interface Store {
  take(demands: readonly Demand[], options?: TakeOptions): Promise<readonly Grant[]>
  /**
   * Corrects counts to what was really used. Returns for each settlement whether this call has
   * changed the count: a settlement changes only the window that it names, while that is open, and
   * only once, however often it is sent. Throws as `take` does.
   */
  settle?(settlements: readonly Settlement[], options?: TakeOptions): Promise<readonly boolean[]>
  /** Ends the windows of these keys: their next units open new ones. Throws as `take` does. */
  reset?(keys: readonly CountedKey[], options?: TakeOptions): Promise<void>
  /**
   * Whether all demands of one call must have the same client, since each client's counts are kept
   * in a different place. `createLimiter` then throws a `ConfigError` if policies count different
   * clients.
   * @default false
   */
  readonly oneClient?: boolean
  /**
   * With `oneClient`: the backend that counts a client, if clients share backends. While one is
   * away, the others are asked.
   * @default each client has its own
   */
  backendOf?(client: string): string
  /**
   * How a limiter calls the store: through `guard` of `tidegate` if the store is remote, directly
   * (`'none'`) if it counts in this isolate's memory. If it is missing, `createLimiter` throws a
   * `ConfigError`.
   */
  readonly guard?: Guard | 'none'
  /**
   * The kind of store and its host, for the log of `debug`: `upstash at eu1-calm-1234.upstash.io`.
   * Never contains a secret.
   */
  readonly label?: string | undefined
  /**
   * What tells where the store counts: two stores with the same identity share their counts. An
   * isolate shares what it knows between them, so a limiter may be made for each request. An object,
   * or a text that names the server, the database and the prefix.
   * @default the store itself
   */
  readonly identity?: string | object | undefined
  /** For policies with `settle`: what `settling` of `tidegate/settle` adds to a store. */
  readonly receipts?: Receipts | undefined
  /** What `settling` needs of Tidegate's own stores. A store of your own has `settle`. */
  readonly access?: { readonly kind: string } | undefined
}

/** Wraps a remote store with what an isolate does by itself: deadline, fallback, leases. */
export type Guard = (store: Store, options: GuardOptions) => Store

/** How a limiter settles the decisions of policies with `settle`. */
export interface Receipts {
  /** Returns the receipt of a decision, or `undefined` if there is nothing to settle. */
  of(id: string, demands: readonly Demand[], grants: readonly Grant[]): string | undefined
  /**
   * Settles a receipt by the units that each policy used; `undefined` leaves its units counted, as
   * an error does. Never rejects.
   */
  settle(receipt: string, usedBy: (policy: string) => MaybeUnits): Promise<void>
}

type MaybeUnits = number | undefined | Promise<number>
