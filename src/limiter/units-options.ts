import type { Identity } from '../client/client.ts'
import type { Duration } from '../policy/duration.ts'
import type { PassedQuota } from '../policy/passed-quota.ts'

/**
 * Who is counted: a text, of which only the hash reaches the store, `{ plain }`, or `{ clients }`
 * with one of both for each policy, by its name.
 */
export type UnitClient = Identity | { readonly clients: Readonly<Record<string, Identity>> }

/** Units used: of every policy that settles, or by the names of policies. */
export type Units = number | Readonly<Record<string, number>>

/** Where a call finds its store, and how its work stays alive. */
export interface CallOptions<Env extends object = object> {
  /**
   * The host's bindings or variables. The store is made from those of the first call.
   * @default the variables of the process
   */
  readonly env?: Env | undefined
  /** Keeps work alive after the answer: `(work) => ctx.waitUntil(work)` of the host. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** What `take` and `peek` may use besides the client. */
export interface UnitsOptions<Env extends object = object> extends CallOptions<Env>, PassedQuota {
  /**
   * How many units, from 0. Above the limit of a policy, nothing is taken.
   * @default 1
   */
  readonly cost?: number | undefined
}

/** What `wait` needs besides the client. */
export interface WaitOptions<Env extends object = object> extends UnitsOptions<Env> {
  /** How long to wait at most: `'5s'`, or a number of milliseconds. */
  readonly max: Duration
}
