import type { Clock } from '../clock.ts'

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Moves the clock by `ms`, back if negative. */
  advance(ms: number): void
}

/** Begins at an awkward instant: 1 ms before a minute, an hour and a day are full. */
export function manualClock(start = Date.UTC(2026, 0, 1) - 1): ManualClock {
  let now = start
  return Object.assign(() => now, {
    advance(ms: number) {
      now += ms
    },
  })
}
