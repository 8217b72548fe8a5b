import type { Clock, Timer } from '../clock.ts'

/** A clock that stands still until it is told to go on, and a timer that goes by it. */
export interface ManualClock extends Clock {
  /** Moves the clock by `ms`, back if negative. Timers that become due meanwhile go off in order. */
  advance(ms: number): void
  /** Goes off when the clock is advanced to its time. */
  readonly timer: Timer
}

/** Begins at an awkward instant: 1 ms before a minute, an hour and a day are full. */
export function manualClock(start = Date.UTC(2026, 0, 1) - 1): ManualClock {
  let now = start
  const pending = new Set<{ readonly due: number; readonly run: () => void }>()

  const nextDue = (end: number) =>
    [...pending].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]

  return Object.assign(() => now, {
    advance(ms: number) {
      const end = now + ms
      for (let next = nextDue(end); next; next = nextDue(end)) {
        pending.delete(next)
        now = Math.max(now, next.due)
        next.run()
      }
      now = end
    },
    timer(ms: number, run: () => void) {
      const entry = { due: now + ms, run }
      pending.add(entry)
      return () => {
        pending.delete(entry)
      }
    },
  })
}
