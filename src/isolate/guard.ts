import type { Clock } from '../clock.ts'
import { detectPlatform } from '../environment.ts'
import type { StoreError } from '../errors.ts'
import { type Log, quietLog } from '../quiet-log.ts'
import { memory } from '../stores/memory.ts'
import type { Store, TakeOptions } from '../stores/store.ts'
import { deadline } from './deadline.ts'
import { fallback } from './fallback.ts'
import { known } from './known.ts'
import { lease } from './lease.ts'
import { outageLog } from './outage-log.ts'

/** How a limiter wants a store asked that is a trip away. */
export interface GuardOptions {
  /** In ms: how long a check may wait for the store. */
  readonly timeout: number
  /** For how many ms of demand a policy takes units ahead, by its name; nothing for none. */
  readonly ahead: (policy: string) => number | undefined
  /** The clock of what this isolate counts and knows by itself. */
  readonly clock: Clock
  /**
   * Called when the store stops answering.
   * @default logs a warning, and another one when the store is back; at most one pair a minute
   */
  readonly onStoreError?: ((error: StoreError) => unknown) | undefined
}

/** Makes of a store the one that a limiter asks in its place. */
export type Guard = (store: Store, options: GuardOptions) => Store

/**
 * What stands before a store that is a trip away, which is all that this isolate can do without it:
 * leases, what is known of exhausted keys, a local count while the store is away, and a deadline.
 */
export const guard: Guard = (store, { timeout, ahead, clock, onStoreError }) => {
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  const listener = onStoreError ? { onAway: onStoreError } : outageLog(clock)
  const safe = fallback(deadline(store, timeout), memory({ clock }), listener, log)
  const guarded = lease(known(safe, store, clock), ahead, clock)
  // A server runs on after the response, and needs nobody to keep its work alive.
  const runsOn = detectPlatform() === 'server' ? () => {} : undefined
  return {
    take(demands, options) {
      const waitUntil = options?.waitUntil ?? runsOn
      return guarded.take(
        demands,
        waitUntil && { waitUntil: (work) => keepAlive(waitUntil, work, log) },
      )
    },
  }
}

/** What a host does not keep alive (its method was handed over unbound) may still come to its end. */
function keepAlive(
  waitUntil: NonNullable<TakeOptions['waitUntil']>,
  work: Promise<unknown>,
  log: Log,
): void {
  new Promise<void>((resolve) => resolve(waitUntil(work))).catch((error: unknown) =>
    log(`waitUntil failed (${error}): pass it as (work) => context.waitUntil(work)`),
  )
}
