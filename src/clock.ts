/** Milliseconds since the epoch. Only differences of one clock's readings are ever used. */
export type Clock = () => number

/** With the next one the only place that reads the machine's clock. Called per check: at a Worker's start it reads 0. */
export const systemClock: Clock = () => Date.now()

/** Time as the platform measures it, in ms, finer than the clock that tells the hour. */
export const stopwatch: Clock = () => performance.now()

/** Calls `run` after `ms`, unless the function that it returns is called before. */
export type Timer = (ms: number, run: () => void) => () => void

/** The only place in the library that starts a timer. */
export const systemTimer: Timer = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
