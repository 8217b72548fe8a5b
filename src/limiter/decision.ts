import type { Policy } from '../policy/policy.ts'
import type { Demand, Grant, Source } from '../stores/store.ts'

/** What one policy says of one request. */
export interface PolicyState {
  /** '' for the one unnamed policy. */
  readonly name: string
  /** Units per window. */
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
  /** The policies that counted the request, in the order in which they were given. */
  readonly policies: readonly PolicyState[]
  /** The tightest: that which refuses longest; if none refuses, that with least left for longest. */
  readonly policy: PolicyState | undefined
  /** In ms until the same request could be allowed; 0 when it was, or when waiting will not help. */
  readonly retryIn: number
  /** Whether the store did not answer and this isolate decided alone. */
  readonly degraded: boolean
  /**
   * Who decided: the store, this isolate while the store is away (`'local'`), a policy that refuses
   * unknown clients (`'unknown'`), or nobody, since no policy counts such a request (`'none'`).
   */
  readonly source: Source | 'unknown' | 'none'
}

const WITHOUT_COUNT = { policies: [], policy: undefined, retryIn: 0, degraded: false } as const

/** No policy counts the request. */
export const UNCOUNTED: Decision = { ...WITHOUT_COUNT, allowed: true, source: 'none' }

/** A policy refuses the request since its client is unknown. */
export const UNIDENTIFIED: Decision = { ...WITHOUT_COUNT, allowed: false, source: 'unknown' }

/** A policy that counts the request, and what it asks of the store. */
export interface Counted {
  readonly policy: Policy
  readonly demand: Demand
}

/** The decision that follows from what the store granted to each demand, of which there is one. */
export function decide(counted: readonly Counted[], grants: readonly Grant[]): Decision {
  const states = counted.map(({ policy: { name, limit, window } }, index): PolicyState => {
    const { used = 0, resetIn = 0, retryIn = 0 } = grants[index] ?? {}
    return { name, limit, window, remaining: Math.max(0, limit - used), resetIn, retryIn }
  })
  const policy = states.reduce(tighter)
  const source = grants.some((grant) => grant.source === 'local') ? 'local' : 'store'
  return {
    allowed: counted.every(({ demand }, index) => (grants[index]?.granted ?? 0) >= demand.cost),
    policies: states,
    policy,
    retryIn: policy.retryIn,
    degraded: source === 'local',
    source,
  }
}

function tighter(a: PolicyState, b: PolicyState): PolicyState {
  if (a.retryIn !== b.retryIn) return a.retryIn > b.retryIn ? a : b
  if (a.remaining !== b.remaining) return a.remaining < b.remaining ? a : b
  return b.resetIn > a.resetIn ? b : a
}
