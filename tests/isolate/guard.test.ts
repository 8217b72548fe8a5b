import { describe, expect, test } from 'vitest'
import { withDeadline } from '../../src/deadline.ts'
import type { StoreErrorCode } from '../../src/errors.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Demand, Grant, Store } from '../../src/stores/store.ts'
import type { StoreCall, StoreOperation } from '../../src/stores/store-call.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'
import { allLease, isolate } from '../support/guarded.ts'
import { background, refused, scriptedStore } from '../support/scripted-store.ts'
import { warningsOf } from '../support/warnings.ts'

const demand: Demand = { policy: '', client: 'a', limit: 1000, window: 60_000, cost: 1 }

describe('a store that answers', () => {
  const answers: Readonly<Record<string, unknown>> = {
    'a list of nothing': new Array(1),
    'too few grants': [],
    null: null,
    'a grant without numbers': [{ granted: true }],
    'an endless window': [{ granted: 1, used: 1, resetIn: Number.POSITIVE_INFINITY, retryIn: 0 }],
  }
  for (const [name, answer] of Object.entries(answers)) {
    test(`${name} is counted for locally`, async () => {
      const store: Store = { take: async () => answer as readonly Grant[] }
      expect(await isolate(store, manualClock()).take([demand])).toMatchObject([
        { granted: 1, source: 'local' },
      ])
    })
  }
})

test('a reserve is not taken from the local count', async () => {
  const store: Store = { take: () => Promise.reject(new Error('away')) }
  const guarded = isolate(store, manualClock())
  expect(await guarded.take([{ ...demand, reserve: 5 }])).toMatchObject([{ granted: 1, used: 1 }])
})

describe('a refill leaves no rejection unhandled', () => {
  /** Checks a hot key until it is refilled. Returns the work that the host is to keep alive. */
  async function refill(leasing: Store, clock: ManualClock): Promise<readonly Promise<unknown>[]> {
    const kept: Promise<unknown>[] = []
    for (let n = 0; n < 200 && kept.length === 0; n++) {
      await leasing.take([demand], { waitUntil: (work) => void kept.push(work) })
      clock.advance(20)
    }
    expect(kept).toHaveLength(1)
    return kept
  }

  test('if the store fails', async () => {
    const clock = manualClock()
    const near = memory({ clock })
    const store: Store = {
      take: async (demands) => {
        if (demands[0]?.cost === 0) throw new Error('away')
        return near.take(demands)
      },
    }
    const leasing = isolate(store, clock, { policies: allLease(2000) })
    await Promise.all(await refill(leasing, clock))
  })

  test('if it ends an outage, and the console throws', async () => {
    const clock = manualClock()
    const near = memory({ clock })
    let isAway = false
    const store: Store = {
      take: async (demands) => {
        if (isAway) throw new Error('away')
        return near.take(demands)
      },
    }
    // Without a listener of its own, a guard logs that the store is back.
    const leasing = isolate(store, clock, { policies: allLease(2000), onStoreEvent: undefined })
    await refill(leasing, clock)
    isAway = true
    await warningsOf(() => leasing.take([{ ...demand, client: 'b' }]))
    isAway = false
    const { warn } = console
    console.warn = () => {
      throw new Error('no console')
    }
    try {
      await Promise.all(await refill(leasing, clock))
    } finally {
      console.warn = warn
    }
  })
})

test('a deadline that has passed aborts the call', async () => {
  let signal: AbortSignal | undefined
  const hanging = withDeadline(5, (given) => {
    signal = given
    return new Promise<never>(() => {})
  })
  await expect(hanging).rejects.toMatchObject({ code: 'timeout' })
  expect(signal?.aborted).toBe(true)
})

test('a window that is longer than the policy’s is not counted plainly: the script shortens it', async () => {
  const { hinted, guarded } = scriptedStore()
  const one = guarded()
  await one.take([{ ...demand, window: 3_600_000 }])
  await one.take([{ ...demand, window: 3_600_000 }])
  await one.take([demand])
  await one.take([demand])
  expect(hinted).toEqual([false, true, false, true])
})

test('a request that takes twice is told once of each call that has ended in the background', async () => {
  const { clock, state, guarded } = scriptedStore()
  const store = guarded()
  const watch = {
    background: [] as readonly StoreCall[],
    begin: (operation: StoreOperation) => (error: StoreErrorCode | undefined, ahead: number) => ({
      operation,
      took: 0,
      error,
      ahead,
    }),
  }
  state.outcome = refused
  await store.take([demand])
  clock.advance(1000)
  state.outcome = () => 'up'
  const { waitUntil, settle } = background(clock)
  await store.take([demand], { waitUntil, watch })
  await settle()
  const next = { ...watch, background: [] as readonly StoreCall[] }
  await store.take([demand], { watch: next })
  const { length } = next.background
  expect(next.background[0]).toMatchObject({ operation: 'probe', error: undefined })
  await store.take([demand], { watch: next })
  expect(next.background).toHaveLength(length)
})
