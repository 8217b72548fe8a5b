import type { Level as DoctorLevel } from '../doctor/report.ts'

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
  | 'coverage'

/**
 * The result of one check:
 * - `ok`: the deployment does what it should
 * - `info`: worth knowing, or the check needs an IPv6 address that is missing
 * - `warning`: limits hold, but clients get less information than they need
 * - `not examined`: the check could not be made, so nothing is known
 * - `failure`: the limit does not hold, or clients get wrong information
 */
export type Level = DoctorLevel | 'not examined'

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
 * - `failed`: got a status of 5xx, which says nothing about the limit
 * - `unclear`: the window ended too soon to tell
 * - `untried`: the drill ended before
 */
export type Outcome = 'shared' | 'evaded' | 'elsewhere' | 'failed' | 'unclear' | 'untried'

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
  /** Whether all checks were made, and none failed. There may be warnings. */
  readonly ok: boolean
  /** The worst level of the findings. */
  readonly level: Level
  /** The checks that could not be made. */
  readonly notExamined: readonly Check[]
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

const LEVELS: readonly Level[] = ['ok', 'info', 'warning', 'not examined', 'failure']

/** The worst level of the findings; `ok` if there are none. */
export const worstOf = (findings: readonly Finding[]): Level =>
  LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok'

/** A finding that a check applies and could not be made, and why. */
export const notExamined = (check: Check, why: string, remedy?: string): Finding => ({
  check,
  level: 'not examined',
  says: `${why}.`,
  remedy,
})
