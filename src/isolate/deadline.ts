import { StoreError } from '../errors.ts'
import { startTimeout, type TimeSource } from '../timer.ts'

/**
 * Returns what `ask` returns, or throws a `StoreError` with code `timeout` if that takes longer than
 * `ms`. The signal then ends the request to the backend; a backend that ignores the signal is not
 * waited for. It may still have counted a unit. An answer that arrives while this process is busy is
 * not late.
 */
export async function withDeadline<Answer>(
  ms: number,
  ask: (signal: AbortSignal) => Promise<Answer>,
  time?: TimeSource,
): Promise<Answer> {
  const controller = new AbortController()
  let stopTimer = () => {}
  const expiry = new Promise<never>((_, reject) => {
    stopTimer = startTimeout(
      ms,
      () => {
        reject(new StoreError('timeout', `the store gave no answer within ${ms} ms`))
        controller.abort()
      },
      time,
    )
  })
  try {
    return await Promise.race([ask(controller.signal), expiry])
  } finally {
    stopTimer()
  }
}
