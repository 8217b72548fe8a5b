import { stopwatch } from '../clock.ts'
import type { TakeOptions } from '../stores/store.ts'
import { startTimeout } from '../timer.ts'
import { ProbeError } from './failure.ts'

/** The time that the doctor may take. */
export interface TimeBudget {
  /**
   * Resolves to the result of `work`. Rejects with a `ProbeError` when the time for one call, or
   * for all of them, is used up.
   */
  run<T>(work: (options: TakeOptions) => Promise<T>): Promise<T>
  /** How much time is left for all calls, in ms. */
  leftMs(): number
  /** Waits for `ms`, or until the time for all calls is used up. */
  pause(ms: number): Promise<void>
}

/** A budget of `callMs` for each call, and of `totalMs` for all calls from now on. */
export function startTimeBudget(callMs: number, totalMs: number): TimeBudget {
  const end = stopwatch() + totalMs
  const leftMs = () => Math.max(0, end - stopwatch())
  return {
    leftMs,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, leftMs()))),
    async run(work) {
      const ms = Math.min(callMs, leftMs())
      if (ms < 1) throw new ProbeError('late', 'no time was left')
      const controller = new AbortController()
      let stopTimer = () => {}
      const expiry = new Promise<never>((_, reject) => {
        stopTimer = startTimeout(ms, () => {
          reject(new ProbeError('timeout', `no answer within ${Math.round(ms)} ms`))
          controller.abort()
        })
      })
      try {
        return await Promise.race([work({ signal: controller.signal }), expiry])
      } finally {
        stopTimer()
      }
    },
  }
}
