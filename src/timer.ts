import { type Clock, stopwatch, systemTimer, type Timer } from './clock.ts'

/** A timer that fires later than this was held up by the process itself. */
const LATE_MS = 50

/** Where a timeout takes its time from. */
export interface TimeSource {
  /** @default the runtime's stopwatch */
  readonly clock?: Clock
  /** @default the runtime's timer */
  readonly timer?: Timer | undefined
  /**
   * When the timeout begins, by the clock.
   * @default now
   */
  readonly since?: number | undefined
}

/**
 * Calls `expire` after `ms`. After a long task a process runs its due timers before it reads the
 * answers that arrived during the task. So a timer that fires late does not prove that an answer is
 * missing. It is set again, once, for as long as it was late, and for half of `ms` at most.
 *
 * Returns a function that stops the timer.
 */
export function startTimeout(ms: number, expire: () => void, time: TimeSource = {}): () => void {
  const { clock = stopwatch, timer = systemTimer, since = clock() } = time
  let stop = timer(ms, () => {
    const late = clock() - since - ms
    if (late <= LATE_MS) expire()
    else stop = timer(Math.min(late, ms / 2), expire)
  })
  return () => {
    // JavaScript may pass a timer that returns the id of `setTimeout`, or nothing.
    if (typeof stop === 'function') stop()
  }
}
