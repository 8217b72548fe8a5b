import { type Clock, stopwatch, systemTimer } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import type { TakeOptions } from '../stores/store.ts'
import type { TimeSource } from '../timer.ts'
import { OutOfTime } from './failure.ts'

/** The time that the doctor may take. */
export interface TimeBudget {
  /**
   * Returns what `work` returns. Throws a `StoreError` with code `timeout` when the time for one
   * call is used up, and an `OutOfTime` at once if the time for all calls is.
   */
  run<T>(work: (options: TakeOptions) => Promise<T>): Promise<T>
  /** The clock that the budget is measured by. */
  readonly stopwatch: Clock
  /** How much time is left for all calls, in ms. */
  leftMs(): number
  /** Waits for `ms`, or until the time for all calls is used up. */
  pause(ms: number): Promise<void>
}

/** A budget of `callMs` for each call, and of `totalMs` for all calls from now on. */
export function startTimeBudget(
  callMs: number,
  totalMs: number,
  time: TimeSource = {},
): TimeBudget {
  const { clock = stopwatch, timer = systemTimer } = time
  const end = clock() + totalMs
  const leftMs = () => Math.max(0, end - clock())
  return {
    stopwatch: clock,
    leftMs,
    pause: (ms) => new Promise((resolve) => timer(Math.min(ms, leftMs()), resolve)),
    async run(work) {
      const ms = Math.round(Math.min(callMs, leftMs()))
      if (ms < 1) throw new OutOfTime()
      return withDeadline(ms, (signal) => work({ signal }), time)
    },
  }
}
