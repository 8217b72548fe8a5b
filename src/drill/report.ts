import type { Level } from '../doctor/report.ts'

/** The name of a check. */
export type Check =
  | 'reachability'
  | 'errors'
  | 'limit'
  | 'ratelimit'
  | 'x-ratelimit'
  | 'agreement'
  | 'problem'
  | 'forged-address'
  | 'spelling'
  | 'method'
  | 'ipv6-neighbour'
  | 'retry-after'
  | 'next-window'

/**
 * The result of one check:
 * - `ok`: the deployment does what it should
 * - `info`: worth knowing, or the check was not tried
 * - `warning`: limits hold, but clients get less information than they need
 * - `failure`: the limit does not hold, or clients get wrong information
 */
export interface Finding {
  readonly check: Check
  readonly level: Level
  /** The result in a sentence or two. */
  readonly says: string
  /** What to do, if there is something to do. */
  readonly remedy?: string | undefined
}

/**
 * What became of a request that differs in one respect, sent after the limit was used up:
 * - `shared`: refused, so it shares the quota of the plain request
 * - `evaded`: passed, while plain requests were refused
 * - `elsewhere`: did not reach the same handler: 404, a redirect, another type, no response
 * - `unclear`: the window ended too soon to tell
 */
export type Outcome = 'shared' | 'evaded' | 'elsewhere' | 'unclear'

/** A variant of the request, and what became of it. */
export interface TriedVariant {
  readonly check: Check
  /** A header field, a spelling or a method. */
  readonly variant: string
  readonly outcome: Outcome
  /** Of the last response; 0 without one. */
  readonly status: number
}

/** The result of a drill. */
export interface Report {
  /** Whether no check failed. There may be warnings. */
  readonly ok: boolean
  /** The worst level of the findings. */
  readonly level: Level
  /** Method and URL, without query. */
  readonly target: string
  /** The burst that used up the limit; `undefined` if no request was answered. */
  readonly burst?: { readonly sent: number; readonly passed: number } | undefined
  readonly findings: readonly Finding[]
  readonly variants: readonly TriedVariant[]
  /** How many requests were sent. */
  readonly requests: number
  /** How long the drill took, in ms. */
  readonly took: number
}
