import { policyOf } from '../policy/policy-name.ts'
import type { Demand, Grant, Source } from '../stores/store.ts'
import type { StoreCall } from '../stores/store-call.ts'
import type { Decision } from './decision.ts'

/** A decision without its receipt, which names the client, and how it came about. */
export interface DecisionEvent extends Omit<Decision, 'receipt'> {
  /** What each policy that applies to the request decided, in the order of the options. */
  readonly outcomes: readonly PolicyOutcome[]
  /** How long the check took, in ms. Your own functions, such as `client`, are part of it. */
  readonly took: number
  /** The store's `label`; `undefined` if no policy counted the request. */
  readonly store: string | undefined
  /**
   * The call to a remote store for which the request waited; `undefined` if this isolate decided
   * without a call.
   */
  readonly call: StoreCall | undefined
  /**
   * Calls to this store in the background that have ended since the previous event of a check that
   * counted in it; at most 100.
   */
  readonly background: readonly StoreCall[]
}

/** What one policy decided about a request. */
export interface PolicyOutcome {
  /** '' for the one unnamed policy. */
  readonly policy: string
  /**
   * Whether this policy refused the request. If only other policies refused it, this policy is not
   * charged.
   */
  readonly refused: boolean
  /** Units that the request costs. */
  readonly cost: number
  readonly source: Source | 'unknown' | 'cost'
  /** With the option `eventClients`: the client that was counted, or its hash. */
  readonly client?: string | undefined
}

/** What the host gives a listener, besides the event. */
export interface DecisionHost<Env extends object = object> {
  /** The host's bindings or variables, as `check` got them. */
  readonly env?: Env | undefined
  /** Keeps work alive after the response. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/**
 * What each demand's policy decided.
 *
 * @param names of the demands' clients, if the event names them
 */
export function outcomesOf(
  demands: readonly Demand[],
  grants: readonly Grant[],
  names: readonly string[] | undefined,
): PolicyOutcome[] {
  const outcomes: PolicyOutcome[] = []
  for (const { policy: key, cost } of demands) {
    const policy = policyOf(key)
    const index = outcomes.length
    const { granted = 0, retryIn = 0, source = 'store' } = grants[index] ?? {}
    // Of a demand that does not fit, a store returns when it will. Other demands are not charged.
    const refused = granted < cost && retryIn > 0
    outcomes.push({ policy, refused, cost, source, client: names?.[index] })
  }
  return outcomes
}
