import { describe, expect, test } from 'vitest'
import { createLimiter, memory, type Store } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

/** Isolates over one store, in virtual time. */
function isolates(count: number, limit: number, window: number) {
  const clock = manualClock()
  const due = new Set<{ at: number; run: () => void }>()
  const timer = (ms: number, run: () => void) => {
    const entry = { at: clock() + ms, run }
    due.add(entry)
    return () => due.delete(entry)
  }
  const counting = memory({ clock })
  const calls: { at: number; granted: number }[] = []
  const store: Store = {
    ...counting,
    async take(demands) {
      const grants = await counting.take(demands)
      calls.push({ at: clock(), granted: grants[0]?.granted ?? 0 })
      return grants
    },
  }
  const limiters = Array.from({ length: count }, () =>
    createLimiter({ limit, window, store, clock, timer }),
  )
  /** Lets time pass until `isDone`. */
  async function run(isDone: () => boolean): Promise<void> {
    for (let step = 0; step < 100_000 && !isDone(); step++) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      const next = [...due].reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY)
      if (next === Number.POSITIVE_INFINITY) continue
      clock.advance(Math.max(0, next - clock()))
      for (const entry of [...due]) {
        if (entry.at > clock()) continue
        due.delete(entry)
        entry.run()
      }
    }
  }
  return { clock, calls, limiters, run }
}

describe('wait', () => {
  test('serves 1,000 waiters of four isolates by 10 a second, in turn, with few calls', async () => {
    const { clock, calls, limiters, run } = isolates(4, 10, 1000)
    const begun = clock()
    const served: { isolate: number; turn: number; at: number }[] = []
    let ended = 0
    for (let turn = 0; turn < 250; turn++) {
      for (const [isolate, limiter] of limiters.entries()) {
        void limiter.wait({ plain: 'crawler' }, { max: '10m' }).then(({ allowed }) => {
          ended++
          if (allowed) served.push({ isolate, turn, at: clock() - begun })
        })
      }
    }
    await run(() => ended === 1000)
    expect(served).toHaveLength(1000)
    for (const isolate of [0, 1, 2, 3]) {
      const turns = served.filter((one) => one.isolate === isolate).map(({ turn }) => turn)
      expect(turns).toEqual(Array.from({ length: 250 }, (_, turn) => turn))
    }
    // 100 windows, each a few milliseconds longer than its second.
    expect(served.at(-1)?.at).toBeLessThan(102_000)
    const perWindow = new Map<number, number>()
    for (const { at } of calls) {
      const window = Math.floor((at - begun) / 1002)
      perWindow.set(window, (perWindow.get(window) ?? 0) + 1)
    }
    expect(Math.max(...perWindow.values())).toBeLessThanOrEqual(10 + 2 * 4)
    expect(calls.length).toBeLessThanOrEqual(100 * (10 + 4) + 4)
  })

  test('returns the refused decision when max is over', async () => {
    const { clock, limiters, run } = isolates(1, 1, 60_000)
    const [limiter] = limiters
    await limiter?.take({ plain: 'a' })
    const begun = clock()
    const decisions: { allowed: boolean; after: number }[] = []
    for (const max of ['5s', '20s', '70s'] as const) {
      void limiter?.wait({ plain: 'a' }, { max }).then(({ allowed }) => {
        decisions.push({ allowed, after: clock() - begun })
      })
    }
    await run(() => decisions.length === 3)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([false, false, true])
    expect(decisions.map(({ after }) => after < 70_000)).toEqual([true, true, true])
  })

  test('returns at once if waiting does not help', async () => {
    const { limiters } = isolates(1, 5, 1000)
    const decision = await limiters[0]?.wait({ plain: 'a' }, { max: '1m', cost: 6 })
    expect(decision).toMatchObject({ allowed: false, source: 'cost', retryIn: 0 })
  })

  test('goes on if the first waiter ended without a word, as a request of a Worker may', async () => {
    const clock = manualClock()
    const due: { at: number; run: () => void }[] = []
    let isLost = false
    const timer = (ms: number, run: () => void) => {
      // The timers of a request that has ended never fire.
      if (!isLost) due.push({ at: clock() + ms, run })
      return () => {}
    }
    const limiter = createLimiter({
      limit: 1,
      window: 1000,
      store: memory({ clock }),
      clock,
      timer,
    })
    await limiter.take({ plain: 'a' })
    isLost = true
    void limiter.wait({ plain: 'a' }, { max: '1m' })
    await new Promise((resolve) => setTimeout(resolve))
    isLost = false
    let isServed = false
    void limiter.wait({ plain: 'a' }, { max: '1m' }).then(({ allowed }) => {
      isServed = allowed
    })
    for (let step = 0; step < 1000 && !isServed; step++) {
      await new Promise((resolve) => setTimeout(resolve))
      const next = due.shift()
      if (next === undefined) continue
      clock.advance(Math.max(0, next.at - clock()))
      next.run()
    }
    expect(isServed).toBe(true)
  })

  test('needs max', async () => {
    const [limiter] = isolates(1, 1, 1000).limiters
    await expect(limiter?.wait({ plain: 'a' }, {} as never)).rejects.toThrow(
      /^wait\.max: expected a duration/,
    )
  })
})
