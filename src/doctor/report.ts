/** The name of a check. */
export type Check =
  | 'tls'
  | 'reachability'
  | 'authentication'
  | 'write'
  | 'script'
  | 'counting'
  | 'locking'
  | 'latency'
  | 'errors'
  | 'retries'
  | 'expiry'
  | 'clock'
  | 'memory'
  | 'eviction'
  | 'evicted'
  | 'keys'
  | 'cluster'
  | 'cleanup'

/**
 * - `ok`: nothing to do
 * - `info`: worth knowing, or the check could not run
 * - `warning`: counts are right so far, but something may make them wrong or slow
 * - `failure`: limits do not hold
 */
export type Level = 'ok' | 'info' | 'warning' | 'failure'

/** The result of one check. Its texts never contain a key, a token or a client. */
export interface Finding {
  readonly check: Check
  readonly level: Level
  /** The result in a sentence or two. */
  readonly says: string
  /** What to do, if there is something to do. */
  readonly remedy?: string | undefined
  /** Whether the check could not run, or got no result. Its level is then `info`. */
  readonly isSkipped?: boolean | undefined
}

/** How long round trips took, in ms. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  /** How many round trips were measured. */
  readonly probes: number
}

/** All findings of one examination. */
export interface Report {
  /** Whether no check failed. There may be warnings. */
  readonly ok: boolean
  /** The worst level of the findings. */
  readonly level: Level
  readonly findings: readonly Finding[]
  /** `undefined` if no round trip was measured. */
  readonly latency?: Latency | undefined
  /** How long the examination took, in ms. */
  readonly took: number
}

const LEVELS: readonly Level[] = ['ok', 'info', 'warning', 'failure']

/** The worst level of the findings; `ok` if there are none. */
export function worstOf(findings: readonly Pick<Finding, 'level'>[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok'
}
