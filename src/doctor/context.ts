import type { Clock } from '../clock.ts'
import type { Evictions } from './evictions.ts'
import type { ProbeTarget } from './probe-target.ts'
import type { TimeBudget } from './time-budget.ts'

/** The arguments of every check. */
export interface CheckContext {
  readonly target: ProbeTarget
  readonly timeBudget: TimeBudget
  /** How commands reach the store. Remedies depend on it. */
  readonly protocol: 'rest' | 'redis' | 'store'
  /** The address of the store, if known. Never shown: it may contain a password. */
  readonly address: URL | undefined
  readonly prefix: string
  readonly clock: Clock
  readonly thresholds: Thresholds
  /** The evictions of earlier examinations, in a watch. */
  readonly evictions?: Evictions | undefined
}

/** The limits beyond which a check warns. */
export interface Thresholds {
  /** How many round trips to measure. */
  readonly probes: number
  /** In ms. */
  readonly maxLatency: number
  /** A fraction of 1. */
  readonly maxMemory: number
  /** A fraction of 1. */
  readonly maxErrors: number
  /** In ms. */
  readonly maxSkew: number
}
