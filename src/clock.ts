/** Milliseconds since the epoch. Only differences of one clock's readings are ever used. */
export type Clock = () => number

/** The one place that reads the machine's clock. Called per check: at a Worker's start it reads 0. */
export const systemClock: Clock = () => Date.now()
