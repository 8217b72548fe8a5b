import type { Timer } from '../../../src/clock.ts'
import { type ManualClock, manualClock } from '../../../src/testing/index.ts'

/** Time that passes only when a test says so. */
export interface VirtualTime {
  /** The server's clock. */
  readonly now: () => number
  readonly timer: Timer
  /** Lets `ms` pass. All that follows from a timer has happened before the next timer runs. */
  pass(ms: number): Promise<void>
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>
}

/** @param settled called each time when all that can happen at one moment has happened */
export function virtualTime(settled: () => void): VirtualTime {
  const clock: ManualClock = manualClock()
  const pending = new Set<{ readonly due: number }>()

  function nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { due } of pending) if (due < next) next = due
    return next
  }

  async function settle(): Promise<void> {
    // Promises go on in microtasks, which all run before the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    settled()
  }

  return {
    now: clock,
    settle,
    timer(ms, run) {
      const entry = { due: clock() + ms }
      pending.add(entry)
      const stop = clock.timer(ms, () => {
        pending.delete(entry)
        run()
      })
      return () => {
        pending.delete(entry)
        stop()
      }
    },
    async pass(ms) {
      const end = clock() + ms
      await settle()
      for (let due = nextDue(); due <= end; due = nextDue()) {
        clock.advance(Math.max(0, due - clock()))
        await settle()
      }
      clock.advance(end - clock())
    },
  }
}
