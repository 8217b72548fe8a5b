import type { Demand, Grant, Source } from '../stores/store.ts'

/** The state of one policy after a request. */
export interface PolicyState {
  /** '' for the one unnamed policy. */
  readonly name: string
  /** Units per window: of the client's plan, or as computed for this request. */
  readonly limit: number
  /** In ms. */
  readonly window: number
  /** Units left in this window. */
  readonly remaining: number
  /** In ms until the window ends; 0 when none is open. */
  readonly resetIn: number
  /** In ms until this policy has room again; 0 unless it refused the request. */
  readonly retryIn: number
}

/** What to do with a request, and all that is known about it. A refusal is a value, no error. */
export interface Decision {
  readonly allowed: boolean
  /**
   * The policies that counted the request, in the order in which they were given. Leaves out
   * policies whose count is not known: those with the fallback `'open'`, all if one policy is
   * `'closed'`, and with `'known'` those whose key this isolate has not seen.
   */
  readonly policies: readonly PolicyState[]
  /**
   * The policy that refuses longest. If none refuses, the one with the fewest units left; of several
   * with as few, the one whose window ends last. `undefined` if `policies` is empty.
   */
  readonly policy: PolicyState | undefined
  /**
   * In ms until the same request could be allowed; 0 when it was, or when waiting will not help.
   */
  readonly retryIn: number
  /** Whether the store was away, so that this isolate decided by the policy's `fallback`. */
  readonly degraded: boolean
  /**
   * Who decided: the store (`'store'`); this isolate, of units that it took ahead (`'lease'`),
   * because it knows that none are left (`'known'`), or while the store is away, by the policy's
   * `fallback` (`'local'`, `'open'`, `'closed'`); a policy that refuses unknown clients
   * (`'unknown'`); a policy whose limit is below the request's cost (`'cost'`); or nobody, since no
   * policy counts such a request (`'none'`).
   */
  readonly source: Source | 'unknown' | 'cost' | 'none'
  /**
   * A text with which `limiter.settle` corrects the counts, also in another isolate; `undefined`
   * unless the store counted units of a policy with `settle`. It contains the client's name in the
   * store and no secret. Keep it on the server: anyone who has it can change the count.
   */
  readonly receipt?: string | undefined
}

const WITHOUT_COUNT = { policies: [], policy: undefined, retryIn: 0, degraded: false } as const

/** No policy counts the request. */
export const UNCOUNTED: Decision = { ...WITHOUT_COUNT, allowed: true, source: 'none' }

/** A policy refuses the request since its client is unknown. */
export const UNIDENTIFIED = {
  ...WITHOUT_COUNT,
  allowed: false,
  source: 'unknown',
} as const satisfies Decision

/** The request costs more than the limit of a policy. */
export const TOO_EXPENSIVE = {
  ...WITHOUT_COUNT,
  allowed: false,
  source: 'cost',
} as const satisfies Decision

/** The grant of a demand that the store did not answer. */
const NONE: Grant = { granted: 0, used: 0, resetIn: 0, retryIn: 0 }

/** The decision that follows from what the store granted to the demand of each policy, if any. */
export function decide(
  policies: readonly { readonly name: string }[],
  demands: readonly Demand[],
  grants: readonly Grant[],
): Decision {
  const states: PolicyState[] = []
  let tightest: PolicyState | undefined
  let furthest = -1
  let allowed = true
  /** The wait of policies whose count is not known. */
  let wait = 0
  let index = 0
  for (const { limit, window, cost } of demands) {
    const name = policies[index]?.name ?? ''
    const grant = grants?.[index] ?? NONE
    const { granted, used, resetIn, retryIn, unseen, source: by = 'store' } = grant
    // A custom store may return anything. NaN and `undefined` refuse the request.
    if (!(granted >= cost)) allowed = false
    index++
    furthest = Math.max(furthest, SOURCES.indexOf(by))
    if (unseen) {
      wait = retryIn
      continue
    }
    // The header fields need whole numbers up to the quota.
    const remaining = Math.min(limit, Math.max(0, Math.floor(limit - used) || 0))
    const state = { name, limit, window, remaining, resetIn, retryIn }
    states.push(state)
    tightest = tightest ? tighter(tightest, state) : state
  }
  return {
    allowed,
    policies: states,
    policy: tightest,
    retryIn: Math.max(tightest?.retryIn ?? 0, wait),
    degraded: furthest >= SOURCES.indexOf('open'),
    source: SOURCES[furthest] ?? 'store',
  }
}

/**
 * In ascending order: a decision has the highest source among the grants of its policies. From
 * `'open'` on, it was made without the store and is degraded.
 */
const SOURCES: readonly Source[] = ['lease', 'store', 'known', 'open', 'local', 'closed']

function tighter(a: PolicyState, b: PolicyState): PolicyState {
  const order = b.retryIn - a.retryIn || a.remaining - b.remaining || b.resetIn - a.resetIn
  return order > 0 ? b : a
}
