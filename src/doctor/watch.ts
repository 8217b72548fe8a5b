import { type Clock, systemClock, systemTimer, type Timer } from '../clock.ts'
import { type Change, type CheckStates, createCheckStates } from './check-states.ts'
import type { Thresholds } from './context.ts'
import { createEvictions, type Evictions } from './evictions.ts'
import type { Check, Report } from './report.ts'

/** The thresholds beyond which a check warns. */
export type AlarmThresholds = Pick<Thresholds, 'maxLatency' | 'maxMemory' | 'maxErrors'>

export interface WatchOptions {
  /** The time from the start of one examination to the start of the next, in ms. */
  readonly interval: number
  readonly thresholds: AlarmThresholds
  /** Examines the store. `evictions` is the same object in all examinations. */
  examine(thresholds: AlarmThresholds, evictions: Evictions): Promise<Report>
  /** Called once for each examination by which states change. Must not wait for the network. */
  onChanges(changes: readonly Change[], now: number): void
  /** Ends the watch at once. It does not wait for the examination in flight. */
  readonly signal: AbortSignal
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default the runtime's timer */
  readonly timer?: Timer
}

/**
 * Examines a store again and again, one examination at a time, until `signal` is aborted. Rejects
 * if an examination rejects.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { interval, thresholds, examine, onChanges, signal } = options
  const { clock = systemClock, timer = systemTimer } = options
  const states = createCheckStates(clock())
  const evictions = createEvictions()
  const stop = abortOf(signal)
  while (!signal.aborted) {
    const start = clock()
    const current = currentThresholds(thresholds, states)
    const report = await Promise.race([examine(current, evictions), stop])
    if (report === 'aborted') return
    const now = clock()
    const changes = states.observe(report.findings, now)
    if (changes.length > 0) onChanges(changes, now)
    // The machine's clock may jump. The wait never gets longer by it.
    const wait = Math.min(interval, Math.max(0, interval - (now - start)))
    let stopTimer = () => {}
    const pause = new Promise<void>((resolve) => {
      stopTimer = timer(wait, resolve)
    })
    await Promise.race([pause, stop])
    stopTimer()
  }
}

function abortOf(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
}

/**
 * A check that warns is good again below a lower threshold, so that a value near the threshold does
 * not change its state all the time: 8 ms for 10 ms, 75 % for 80 %, 0.5 % for 1 %.
 */
function currentThresholds(thresholds: AlarmThresholds, { isBad }: CheckStates): AlarmThresholds {
  const { maxLatency, maxMemory, maxErrors } = thresholds
  const lower = (check: Check, max: number, part: number) => (isBad(check) ? max * part : max)
  return {
    maxLatency: Math.max(1, Math.floor(lower('latency', maxLatency, 8 / 10))),
    maxMemory: lower('memory', maxMemory, 75 / 80),
    maxErrors: lower('errors', maxErrors, 0.5),
  }
}
