import type { Clock, Timer } from '../clock.ts'

/** A clock that moves only when `advance` is called, and a timer that runs by this clock. */
export interface ManualClock extends Clock {
  /** Moves the clock by `ms`, back if negative. Runs the timers that become due, in order. */
  advance(ms: number): void
  /** Runs its function when the clock is advanced to its time. */
  readonly timer: Timer
}

/**
 * Makes a manual clock. By default it starts 1 ms before the end of a minute, an hour and a year,
 * so that code that rounds times fails.
 *
 * @example
 * const clock = manualClock()
 * const limiter = createLimiter({ limit: 1, window: '1m', store: memory({ clock }), clock })
 * clock.advance(60_000)
 */
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
