/** What a finding is about. */
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
 * - `ok`: as it should be
 * - `info`: worth knowing, or could not be looked at
 * - `warning`: counts are right, or were so far; something may make them wrong or slow
 * - `failure`: limits do not hold
 */
export type Level = 'ok' | 'info' | 'warning' | 'failure'

/** What one check found. Neither text holds a key, a token or a client. */
export interface Finding {
  readonly check: Check
  readonly level: Level
  /** What is so, in a sentence or two. */
  readonly says: string
  /** What to do about it, where there is something to do. */
  readonly remedy?: string | undefined
}

/** What a round trip took, in ms. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  /** How many round trips were measured. */
  readonly probes: number
}

export interface Report {
  /** Whether nothing failed. Warnings may be there. */
  readonly ok: boolean
  /** The worst level among the findings. */
  readonly level: Level
  readonly findings: readonly Finding[]
  /** Nothing if no round trip ended. */
  readonly latency?: Latency | undefined
  /** In ms, all of it. */
  readonly took: number
}

const LEVELS: readonly Level[] = ['ok', 'info', 'warning', 'failure']

/** The worst of the findings' levels. */
export function worstOf(findings: readonly Finding[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok'
}
