import { stopwatch } from '../clock.ts'
import type { TakeOptions } from '../stores/store.ts'
import { startTimeout } from '../timer.ts'
import { trouble } from './failure.ts'

export interface Patience {
  /** Ends with what `work` brings, or throws a trouble: after the time for one, or for all. */
  ask<T>(work: (options: TakeOptions) => Promise<T>): Promise<T>
  /** In ms until the time for all is used up. */
  left(): number
  /** Waits, not beyond the time for all. */
  pause(ms: number): Promise<void>
}

/** Waits `each` ms for an answer, and `all` ms in total from now. */
export function patience(each: number, all: number): Patience {
  const end = stopwatch() + all
  const left = () => Math.max(0, end - stopwatch())
  return {
    left,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, left()))),
    async ask(work) {
      const ms = Math.min(each, left())
      if (ms < 1) throw trouble('late', 'no time was left to ask')
      const stop = new AbortController()
      let stopTimer = () => {}
      const expiry = new Promise<never>((_, reject) => {
        stopTimer = startTimeout(ms, () => {
          reject(trouble('timeout', `no answer within ${Math.round(ms)} ms`))
          stop.abort()
        })
      })
      try {
        return await Promise.race([work({ signal: stop.signal }), expiry])
      } finally {
        stopTimer()
      }
    },
  }
}
