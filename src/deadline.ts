import { stopwatch } from './clock.ts'
import { StoreError } from './errors.ts'
import { startTimeout, type TimeSource } from './timer.ts'

/**
 * Returns the result of `ask`. Throws a `StoreError` with code `timeout` if `ask` takes longer than
 * `ms`, or up to half as long again if this process was too busy to read the answer
 * (`startTimeout`). The signal is then aborted, and a store that ignores it is not awaited. The
 * backend may still have counted the units.
 *
 * @param earlier an earlier time at which to give up, if `isDue` then returns true. It is no other
 * request's promise: on Workers, one request cannot wake another.
 */
export async function withDeadline<Answer>(
  ms: number,
  ask: (signal: AbortSignal) => Promise<Answer>,
  time?: TimeSource,
  earlier?: { readonly ms: number; readonly isDue: () => boolean },
): Promise<Answer> {
  const { clock = stopwatch, since = clock() } = time ?? {}
  const controller = new AbortController()
  let stopTimer = () => {}
  const expiry = new Promise<never>((_, reject) => {
    const expire = () => {
      reject(new StoreError('timeout', `the store did not answer within ${ms} ms`))
      controller.abort()
    }
    const first = earlier && earlier.ms > 0 && earlier.ms < ms ? earlier.ms : ms
    stopTimer = startTimeout(
      first,
      () => {
        // `startTimeout` has waited for a busy process once, so its delays do not add up. A clock
        // that was set back does not prolong the wait.
        const left = Math.min(since + ms - clock(), ms - first)
        if (left <= 0 || earlier?.isDue()) expire()
        else stopTimer = startTimeout(left, expire, { ...time, since: undefined })
      },
      time,
    )
  })
  // If `ask` throws at once, nothing awaits it.
  expiry.catch(() => {})
  try {
    return await Promise.race([ask(controller.signal), expiry])
  } finally {
    stopTimer()
  }
}
