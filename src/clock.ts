/** Returns a time in ms. Only differences between readings of the same clock are meaningful. */
export type Clock = () => number

/**
 * The library reads the machine's time here and in `stopwatch` alone. Read per check, because it
 * returns 0 while a Worker starts.
 */
export const systemClock: Clock = () => Date.now()

/** A clock that never goes back, and is finer than `Date.now`. */
export const stopwatch: Clock = () => performance.now()

/** Calls `run` after `ms`, unless the function that it returns is called before. */
export type Timer = (ms: number, run: () => void) => () => void

/** The runtime's timer. */
export const systemTimer: Timer = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
