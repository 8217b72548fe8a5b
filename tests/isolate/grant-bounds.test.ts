import { describe, expect, test } from 'vitest'
import { memory } from '../../src/stores/memory.ts'
import type { Demand, Grant, Store } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { allLease, guarded, isolate } from '../support/guarded.ts'

const demand: Demand = { policy: '', client: 'a', limit: 1000, window: 60_000, cost: 1 }

/** An isolate that leases from a store whose grants are changed on the way. */
function behind(change: (grant: Grant) => Grant) {
  const clock = manualClock()
  const near = memory({ clock })
  let asked = 0
  const store: Store = {
    async take(demands) {
      for (const { cost, reserve = 0 } of demands) asked += cost + reserve
      return (await near.take(demands)).map(change)
    },
  }
  const leasing = isolate(store, clock, { policies: allLease(2000) })
  /** The grants of so many checks, one each 10 ms. */
  async function checks(count: number) {
    const grants: (Grant | undefined)[] = []
    for (let n = 0; n < count; n++) {
      grants.push(...(await leasing.take([demand])))
      clock.advance(10)
    }
    return grants
  }
  return { checks, asked: () => asked }
}

describe('the units used are 0 or more, and no more than the limit', () => {
  test('if an operator has set the count below 0', async () => {
    const { checks } = behind((grant) => ({ ...grant, used: 0 }))
    const grants = await checks(100)
    expect(grants.map((grant) => grant?.source)).toContain('lease')
    expect(new Set(grants.map((grant) => grant?.used))).toEqual(new Set([0]))
  })

  test('if a limiter with a higher limit shares the key', async () => {
    const answers: ((grants: readonly Grant[]) => void)[] = []
    const store: Store = { take: () => new Promise((resolve) => answers.push(resolve)) }
    const clock = manualClock()
    const wide = guarded(store, clock).take([demand])
    const narrow = guarded(store, clock, { policies: allLease(2000) }).take([
      { ...demand, limit: 10 },
    ])
    answers[0]?.([{ granted: 1, used: 20, resetIn: 60_000, retryIn: 0 }])
    await wide
    answers[1]?.([{ granted: 0, used: 10, resetIn: 60_000, retryIn: 60_001 }])
    expect(await narrow).toMatchObject([{ granted: 0, used: 10 }])
  })
})

test('a store that grants more than it was asked for gives a lease no more units than that', async () => {
  const { checks, asked } = behind((grant) => ({ ...grant, granted: grant.granted + 1000 }))
  const grants = await checks(500)
  expect(grants.map((grant) => grant?.source)).toContain('lease')
  const passed = grants.filter((grant) => grant?.granted === 1)
  expect(passed).toHaveLength(500)
  expect(asked()).toBeGreaterThanOrEqual(passed.length)
})
