import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/index.ts'
import {
  endsOutage,
  newBreaker,
  noteFailure,
  probeIn,
  startProbe,
} from '../../src/isolate/breaker.ts'

const TIMEOUT = 1000
const middle = () => 0.5
const away = new StoreError('timeout', 'no answer')

const question = (since: number, answersBefore = 0) => ({ since, answersBefore })

/** A breaker that opened at 1,000, by a question that was sent at 0. */
function opened(error: StoreError = away) {
  const breaker = newBreaker()
  noteFailure(breaker, error, question(0), 1000, middle)
  return breaker
}

describe('a breaker', () => {
  test('opens at a failure if no answer has come since the question was sent', () => {
    expect(opened().openedAt).toBe(1000)
  })

  test('stays closed if an answer has come since: one slow call is no outage', () => {
    const breaker = newBreaker()
    breaker.answers = 7
    noteFailure(breaker, away, question(0, 6), 1000, middle)
    expect(breaker.openedAt).toBeUndefined()
    noteFailure(breaker, away, question(501, 7), 1501, middle)
    expect(breaker.openedAt).toBe(1501)
  })

  test('lets one probe pass after a quarter of a second, and no second one meanwhile', () => {
    const breaker = opened()
    expect(startProbe(breaker, 1249, TIMEOUT, middle)).toBe(false)
    expect(startProbe(breaker, 1250, TIMEOUT, middle)).toBe(true)
    expect(startProbe(breaker, 1251, TIMEOUT, middle)).toBe(false)
  })

  test('waits a tenth of the outage between probes, half a minute at most', () => {
    const breaker = opened()
    const pauseAfter = (sent: number, failed: number) => {
      expect(startProbe(breaker, sent, TIMEOUT, middle)).toBe(true)
      noteFailure(breaker, away, question(sent), failed, middle)
      return probeIn(breaker, failed)
    }
    expect(pauseAfter(2000, 2010)).toBe(250)
    expect(pauseAfter(11_000, 11_000)).toBe(1000)
    expect(pauseAfter(1_001_000, 1_001_000)).toBe(30_000)
  })

  test('spreads the probes of many isolates by a fifth', () => {
    for (const [random, pause] of [
      [0, 200],
      [1, 300],
    ] as const) {
      const breaker = newBreaker()
      noteFailure(breaker, away, question(0), 1000, () => random)
      expect(probeIn(breaker, 1000)).toBeCloseTo(pause)
    }
  })

  test('gives up a probe without an answer: its request may have been ended', () => {
    const breaker = opened()
    startProbe(breaker, 2000, TIMEOUT, middle)
    expect(startProbe(breaker, 3000, TIMEOUT, middle)).toBe(false)
    expect(startProbe(breaker, 3001, TIMEOUT, middle)).toBe(false)
    expect(startProbe(breaker, 3301, TIMEOUT, middle)).toBe(true)
    // Its pause began when it was given up, not at the next request.
    expect(startProbe(breaker, 9000, TIMEOUT, middle)).toBe(true)
  })

  test('probes at once after the clock was set back', () => {
    const breaker = opened()
    expect(startProbe(breaker, 10, TIMEOUT, middle)).toBe(true)
  })

  test('waits for no probe that was sent later than now, since the clock was set back', () => {
    const breaker = opened()
    startProbe(breaker, 100_000, TIMEOUT, middle)
    expect(startProbe(breaker, 50_000, TIMEOUT, middle)).toBe(true)
  })

  test('tells clients no longer wait than its longest pause after the clock was set back', () => {
    expect(probeIn(opened(), -1_000_000)).toBe(36_000)
  })

  test('is probed as before if a call fails that is no probe', () => {
    const breaker = opened()
    startProbe(breaker, 2000, TIMEOUT, middle)
    noteFailure(breaker, away, question(900), 2010, middle)
    expect(startProbe(breaker, 2900, TIMEOUT, middle)).toBe(false)
  })

  test('is probed again a pause after a probe has failed, without waiting for its deadline', () => {
    const breaker = opened()
    startProbe(breaker, 2000, TIMEOUT, middle)
    noteFailure(breaker, away, question(2000), 2010, middle)
    expect(startProbe(breaker, 2260, TIMEOUT, middle)).toBe(true)
  })

  test('is closed by an answer', () => {
    const breaker = opened()
    startProbe(breaker, 2000, TIMEOUT, middle)
    expect(endsOutage(breaker, 2010, false, middle)).toBe(true)
    expect(breaker.openedAt).toBeUndefined()
  })

  for (const code of ['rejected', 'unauthorized'] as const) {
    test(`that writes have opened is closed by a granted unit, and by no look: ${code}`, () => {
      const breaker = opened(new StoreError(code, 'OOM'))
      startProbe(breaker, 2000, TIMEOUT, middle)
      expect(endsOutage(breaker, 2010, false, middle)).toBe(false)
      expect(startProbe(breaker, 2020, TIMEOUT, middle)).toBe(false)
      expect(startProbe(breaker, 2260, TIMEOUT, middle)).toBe(true)
      expect(endsOutage(breaker, 2270, true, middle)).toBe(true)
    })
  }

  test('that writes have opened is closed by a look if the connection was lost since', () => {
    const breaker = opened(new StoreError('rejected', 'OOM'))
    startProbe(breaker, 2000, TIMEOUT, middle)
    noteFailure(breaker, away, question(2000), 2010, middle)
    expect(endsOutage(breaker, 2300, false, middle)).toBe(true)
  })
})
