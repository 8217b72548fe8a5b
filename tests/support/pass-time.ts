import type { ManualClock } from '../../src/testing/index.ts'
import { pause } from './pause.ts'

/** Lets time pass until `work` is done, which waits for little but the clock's timers. */
export async function passTime<Result>(clock: ManualClock, work: Promise<Result>): Promise<Result> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  work.then(end, end)
  while (!isDone) {
    await pause(0)
    clock.advance(100)
  }
  return work
}
