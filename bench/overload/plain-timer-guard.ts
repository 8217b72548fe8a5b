import { type Clock, systemTimer, type Timer } from '../../src/clock.ts'
import { guard } from '../../src/isolate/guard.ts'
import type { Guard } from '../../src/stores/store.ts'

/** The guard with the timer of version 0.1, which gives up whenever it fires, however late. */
export const plainTimerGuard: Guard = (store, options) => {
  const [clock, timer] = punctual(options.clock)
  return guard(store, { ...options, clock, timer })
}

/** A timer, and the clock by which it never fires late: that stands still while the timer fires. */
function punctual(clock: Clock): readonly [Clock, Timer] {
  let firing: number | undefined
  const timer: Timer = (ms, run) => {
    const due = clock() + ms
    return systemTimer(ms, () => {
      firing = due
      run()
      firing = undefined
    })
  }
  return [() => firing ?? clock(), timer]
}
