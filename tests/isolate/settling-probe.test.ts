import { describe, expect, test } from 'vitest'
import { guard, memory, type Store, StoreError } from '../../src/index.ts'
import { createLimiter } from '../../src/limiter/limiter.ts'
import { settling } from '../../src/settling/settling.ts'
import { manualClock } from '../../src/testing/index.ts'
import { flush } from '../support/scripted-store.ts'

const CLIENT = { plain: 'a' }
const LIMIT = 10
const WINDOW = 60_000
/** Units of the decision before the outage, of the one that found the store away, and of the probe. */
const [BEFORE, LOCAL, PROBE] = [6, 2, 1]

type Way = 'arrives late' | 'is answered late' | 'is never answered'

/** An isolate over a remote store that can go away, and whose probe can be held on its way. */
function isolate() {
  const clock = manualClock()
  const inner = settling(memory({ clock }))
  const state = { isAway: false, losesSettlements: false, probe: undefined as Way | undefined }
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const remote: Store = {
    guard,
    async take(demands) {
      if (state.isAway) throw new StoreError('unreachable', 'away', { mayHaveCounted: false })
      const { probe } = state
      state.probe = undefined
      if (probe === 'arrives late') await held
      const grants = await inner.take(demands)
      if (probe === 'is answered late') await held
      if (probe === 'is never answered') throw new StoreError('unreachable', 'the answer is lost')
      return grants
    },
    async settle(settlements) {
      const changed = (await inner.settle?.(settlements)) ?? []
      if (state.losesSettlements) throw new StoreError('unreachable', 'the answer is lost')
      return changed
    },
  }
  const work: Promise<unknown>[] = []
  const limiter = createLimiter({
    limit: LIMIT,
    window: WINDOW,
    settle: true,
    clock,
    timer: clock.timer,
    store: settling(remote),
    onStoreEvent: () => {},
  })
  const waitUntil = (one: Promise<unknown>) => void work.push(one)
  /** The count in the store. Its limit is higher than any count, since `used` never exceeds it. */
  const look = { policy: '', client: 'a', limit: 1e6, window: WINDOW, cost: 0, settling: 'look' }
  return {
    clock,
    state,
    release,
    take: (cost: number) => limiter.take(CLIENT, { cost, waitUntil }),
    settle: limiter.settle,
    used: async () => (await inner.take([look]))[0]?.used,
    /** Lets time pass in which the isolate asks the store again, and does its work. */
    async recover() {
      for (let turn = 0; turn < 10; turn++) {
        clock.advance(1000)
        await limiter.take(CLIENT, { cost: 0, waitUntil })
        await flush(100)
      }
      await Promise.all(work)
    },
  }
}

/** Takes before an outage and in it, and sends a probe, which stays on its way. */
async function probing(probe: Way) {
  const world = isolate()
  const { clock, state, take } = world
  const before = await take(BEFORE)
  state.isAway = true
  const local = await take(LOCAL)
  state.isAway = false
  state.probe = probe
  clock.advance(1000)
  const asProbe = await take(PROBE)
  expect([local, asProbe]).toMatchObject(Array(2).fill({ allowed: true, source: 'local' }))
  await flush()
  return { ...world, before, alone: [local, asProbe] }
}

const WAYS: readonly Way[] = ['arrives late', 'is answered late', 'is never answered']

for (const probe of WAYS) {
  describe(`while a probe ${probe}`, () => {
    for (const isLost of [false, true]) {
      for (const used of [0, BEFORE, LIMIT - 1]) {
        const settlement = isLost ? 'a settlement without an answer' : 'a settlement'
        test(`${settlement} of ${used} units counts once, beside what was granted here`, async () => {
          const {
            before,
            alone,
            state,
            settle,
            release,
            recover,
            used: count,
          } = await probing(probe)
          state.losesSettlements = isLost
          expect(await settle(before, used)).toBe(!isLost)
          for (const decision of alone) expect(await settle(decision, 0)).toBe(false)
          release()
          await flush()
          state.losesSettlements = false
          await recover()
          // A debt is charged up to the limit.
          expect(await count()).toBe(Math.min(used + LOCAL + PROBE, LIMIT))
          expect(await settle(before, 0)).toBe(false)
        })
      }
    }

    test('a settlement after the end of its window gives no unit to the next one', async () => {
      const { before, alone, clock, settle, release, recover, take, used } = await probing(probe)
      clock.advance(WINDOW)
      const next = await take(4)
      for (const decision of [before, ...alone]) expect(await settle(decision, 0)).toBe(false)
      release()
      await recover()
      expect(next.allowed).toBe(true)
      expect(await used()).toBeGreaterThanOrEqual(4)
      expect(await used()).toBeLessThanOrEqual(4 + LOCAL + PROBE)
    })
  })
}
