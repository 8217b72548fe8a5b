import type { Burst, BurstContext } from './burst.ts'
import type { ClosedWindow } from './closed-window.ts'
import type { Finding, TriedVariant } from './report.ts'

/** The arguments of every check. */
export interface DrillContext extends BurstContext {
  /** The requests that used up the limit. */
  readonly burst: Burst
  /** The window whose limit is used up. */
  readonly closed: ClosedWindow
}

/** What a check of variants found. */
export interface VariantFindings {
  readonly findings: readonly Finding[]
  readonly variants: readonly TriedVariant[]
  /** The error that ended the drill in the middle of the check, if there is one. */
  readonly stoppedBy?: unknown
}
