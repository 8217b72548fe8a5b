import { type Clock, stopwatch } from './clock.ts'

/** In ms. A timer that fires later than this was held up by the process itself. */
const LATE_MS = 50

/**
 * Calls `expire` after `ms`. A busy process runs its timers late, and before it reads the answers
 * that have arrived meanwhile. So a timer that fires late does not prove that an answer is missing.
 * It is set again, once, for as long as it was late, and for half of `ms` at most.
 *
 * Returns a function that stops the timer.
 */
export function startTimeout(ms: number, expire: () => void, clock: Clock = stopwatch): () => void {
  const due = clock() + ms
  let timer = setTimeout(() => {
    const late = clock() - due
    if (late <= LATE_MS) expire()
    else timer = setTimeout(expire, Math.min(late, ms / 2))
  }, ms)
  return () => clearTimeout(timer)
}
