import type { Clock, Timer } from '../clock.ts'
import type { StoreEvent } from './store-event.ts'

/**
 * What happens to requests while the store is away: this isolate counts them up to the limit
 * (`'local'`), or up to that share of the units that it has not seen used, but at least one
 * (`{ local: 0.25 }`); all pass (`'open'`); or all are refused with 503 (`'closed'`).
 */
export type Fallback = 'local' | { readonly local: number } | 'open' | 'closed'

/** What a policy wants of the isolate besides the store's counts. */
export interface GuardedPolicy {
  /**
   * For how many ms of requests it takes units ahead.
   * @default it does not lease
   */
  readonly ahead?: number | undefined
  /**
   * What happens while the store is away.
   * @default 'local'
   */
  readonly fallback?: Fallback | undefined
}

/** How a limiter wants a remote store to be guarded. */
export interface GuardOptions {
  /** In ms: how long a check may wait for the store. */
  readonly timeout: number
  /**
   * What the policies want, by the name under which they are counted.
   * @default no policy leases, and each counts here while the store is away
   */
  readonly policies?: ReadonlyMap<string, GuardedPolicy> | undefined
  /**
   * Whether a store that fails is left alone for a while, except for probes.
   * @default true
   */
  readonly breaker?: boolean | undefined
  /**
   * Spreads the probes of many isolates: a number from 0 to 1.
   * @default Math.random
   */
  readonly random?: (() => number) | undefined
  /** The clock of what this isolate counts and knows by itself. */
  readonly clock: Clock
  /**
   * Measures the timeout.
   * @default the runtime's timer
   */
  readonly timer?: Timer | undefined
  /**
   * Called when the store is away, is back, or fails once. Errors that it throws are logged.
   * @default logs a warning, and another one when the store is back; at most one pair a minute
   */
  readonly onStoreEvent?: ((event: StoreEvent) => unknown) | undefined
}
