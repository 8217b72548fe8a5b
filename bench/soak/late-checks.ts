import { rounded } from '../measure/statistics.ts'
import type { Stall } from './stalls.ts'

/** An answer that came: when, from where, and how long it took. */
export interface Answered {
  readonly path: string
  readonly isolate: number
  /** By `performance.now()` of this process. */
  readonly sent: number
  readonly ended: number
  /** In ms: the time of the request in the Worker. */
  readonly inside: number
}

/** The default `timeout` of a limiter. */
const DEADLINE_MS = 1000
/** A timer that fires late is set again for half of the deadline at most: `src/timer.ts`. */
const LONGEST_CHECK_MS = 1.5 * DEADLINE_MS
/** For the work of a check itself, and for stalls between two measurements. */
const MARGIN_MS = 100
/** A check may look at the deadline of an earlier call first. Each of two timers is set at most twice. */
const TIMERS = 4
/** Stalls are measured four times a second, so one that meets a check may be measured beside it. */
const BESIDE_MS = 500

/** Whether a check needs an explanation: its isolate must have been busy. */
export const isLong = ({ inside }: Pick<Answered, 'inside'>): boolean =>
  inside > LONGEST_CHECK_MS + MARGIN_MS

/**
 * Describes the checks that took longer than the deadline, half of it, and the margin, although no
 * timer of their isolate was late enough to explain it.
 */
export const lateChecks = (
  long: readonly Answered[],
  stalls: readonly Stall[],
): readonly string[] =>
  long.flatMap((answered) => {
    const { path, isolate, sent, ended, inside } = answered
    let worst = 0
    for (const { isolate: met, from, to, late } of stalls) {
      const meets = met === isolate && from < ended + BESIDE_MS && to > sent - BESIDE_MS
      if (meets) worst = Math.max(worst, late)
    }
    if (inside <= LONGEST_CHECK_MS + MARGIN_MS + TIMERS * worst) return []
    return [`/${path}: ${rounded(inside)} ms; timers of its isolate were ${rounded(worst)} ms late`]
  })
