import type { doctor as Doctor } from '../../../src/doctor/doctor.ts'
import { readOptions } from '../../../src/doctor/options.ts'
import { runChecks } from '../../../src/doctor/run-checks.ts'
import { readTarget } from '../../../src/doctor/target.ts'
import { manualClock } from '../../../src/testing/index.ts'

/** A doctor for whom time passes only when the test says so. */
export function virtualTime() {
  const clock = manualClock()
  const time = { clock, timer: clock.timer }

  const doctor: typeof Doctor = async (target, options = {}) =>
    runChecks(readTarget(target, options.address, fetch), readOptions(options), time)

  /** No answer, for which the doctor waits `ms`. */
  function silence(ms: number): Promise<never> {
    clock.advance(ms)
    return new Promise(() => {})
  }

  return { clock, doctor, silence }
}
