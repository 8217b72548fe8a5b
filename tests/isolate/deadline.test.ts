import { expect, test } from 'vitest'
import type { Timer } from '../../src/clock.ts'
import { withDeadline } from '../../src/deadline.ts'
import { manualClock } from '../../src/testing/index.ts'
import { isolate } from '../support/guarded.ts'
import { pause } from '../support/pause.ts'

const demand = { policy: '', client: 'a', limit: 5, window: 1000, cost: 1 }
const answer = [{ granted: 1, used: 1, resetIn: 1000, retryIn: 0 }]

/** Timers as JavaScript may pass them: what they return does not stop them. */
const WITHOUT_STOP: Readonly<Record<string, unknown>> = {
  'returns nothing': () => {},
  'returns what setTimeout returns': () => 5,
}

for (const [name, timer] of Object.entries(WITHOUT_STOP)) {
  test(`an answer in time counts even if the timer ${name}`, async () => {
    const store = { take: async () => answer }
    const guarded = isolate(store, manualClock(), { timer: timer as Timer })
    expect(await guarded.take([demand])).toEqual(answer)
  })
}

test('a store that throws at once leaves no rejection unhandled, also if the timer goes off', async () => {
  const clock = manualClock()
  const timer: Timer = (ms, run) => {
    clock.timer(ms, run)
    return () => {}
  }
  const failing = withDeadline(
    5,
    () => {
      throw new Error('away')
    },
    { clock, timer },
  )
  await expect(failing).rejects.toThrow('away')
  clock.advance(5)
  // An unhandled rejection fails the run after this test.
  await pause(1)
})

test('a call that first looks at an earlier deadline waits once for late timers, not twice', async () => {
  const clock = manualClock()
  const lateBy = 400
  const timer: Timer = (ms, run) => clock.timer(ms + lateBy, run)
  const earlier = { ms: 500, isDue: () => false }
  let failedAfter: number | undefined
  const call = withDeadline(1000, () => new Promise<never>(() => {}), { clock, timer }, earlier)
  const failed = call.catch(() => {
    failedAfter = clock()
  })
  const start = clock()
  for (let ms = 0; ms < 5000 && failedAfter === undefined; ms += 10) {
    clock.advance(10)
    await pause(0)
  }
  await failed
  expect((failedAfter ?? Number.NaN) - start).toBeLessThanOrEqual(1500 + 2 * lateBy)
})

test('a call that first looks at an earlier deadline waits no longer if the clock was set back', async () => {
  const time = manualClock()
  let setBack = 0
  const clock = () => time() - setBack
  const earlier = { ms: 500, isDue: () => false }
  const hanging = () => new Promise<never>(() => {})
  let isOver = false
  const call = withDeadline(1000, hanging, { clock, timer: time.timer }, earlier)
  const failed = call.catch(() => {
    isOver = true
  })
  setBack = 5000
  for (let ms = 0; ms < 1000; ms += 100) {
    expect(isOver).toBe(false)
    time.advance(100)
    await pause(0)
  }
  expect(isOver).toBe(true)
  await failed
})
