import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certainUntil } from '../../src/isolate/observed-window.ts'

/** What no daemon lets a clock exceed: 500 millionths (RFC 5905 §11.3). */
const SLEW = 500e-6

const HOUR = 3_600_000

/** A clock that runs by a rate of its own, from a phase of its own, and counts whole milliseconds. */
const clockOf = (rate: number, phase: number) => (time: number) => Math.floor(time * rate + phase)

const rates = fc.double({ min: 1 - SLEW, max: 1 + SLEW, noNaN: true })
const phases = fc.double({ min: 0, max: HOUR, noNaN: true })

describe('how long an isolate is certain that a window is open', () => {
  test('is never longer than the window, however the two clocks drift and count', () => {
    fc.assert(
      fc.property(
        fc.record({ store: rates, isolate: rates }),
        fc.record({ store: phases, isolate: phases }),
        fc.integer({ min: 1, max: HOUR }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (rate, phase, window, sent, trip) => {
          const store = clockOf(rate.store, phase.store)
          const isolate = clockOf(rate.isolate, phase.isolate)
          const executed = sent + trip
          const endsAt = store(executed) + window
          const grant = { granted: 1, used: 1, resetIn: window, retryIn: 0 }
          const until = certainUntil(grant, isolate(sent))
          // The last moment that the isolate takes for certain, in true time.
          const last = (Math.ceil(until) - phase.isolate) / rate.isolate - 1e-6
          if (last <= sent) return
          expect(store(last)).toBeLessThan(endsAt)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('allows for two clocks that drift apart as far as they may', () => {
    const grant = { granted: 1, used: 1, resetIn: HOUR, retryIn: 0 }
    // By the slow clock of the isolate, when the store's fast one has counted an hour.
    const end = (HOUR / (1 + SLEW)) * (1 - SLEW)
    expect(certainUntil(grant, 0)).toBeLessThanOrEqual(end)
  })

  test('is nearly all of the window', () => {
    const grant = { granted: 1, used: 1, resetIn: HOUR, retryIn: 0 }
    expect(certainUntil(grant, 0)).toBeGreaterThan(HOUR * 0.998)
  })
})
