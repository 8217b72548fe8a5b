import { equal } from './assert.ts'
import type { Cases } from './case.ts'

/** Cases of calls with several demands, and with no demand. */
export const CALL_CASES: Cases = {
  'of a call whose demands all fit each gets its cost, in order': async ({ store, demand }) => {
    const burst = demand({ policy: 'burst', limit: 2 })
    const hourly = demand({ policy: 'hourly', limit: 9, cost: 3 })
    const grants = await store.take([burst, hourly])
    equal(
      grants.map(({ granted, used, retryIn }) => ({ granted, used, retryIn })),
      [
        { granted: 1, used: 1, retryIn: 0 },
        { granted: 3, used: 3, retryIn: 0 },
      ],
    )
  },

  'of a call with a demand that does not fit none is charged': async ({ store, demand }) => {
    const burst = demand({ policy: 'burst', limit: 1 })
    const hourly = demand({ policy: 'hourly', limit: 9 })
    const other = demand({ policy: 'other', limit: 9 })
    await store.take([burst])
    for (const demands of [
      [burst, hourly, other],
      [hourly, burst, other],
      [hourly, other, burst],
    ]) {
      const grants = await store.take(demands)
      equal(
        grants.map(({ granted }) => granted),
        [0, 0, 0],
      )
      equal(
        grants.map(({ retryIn }) => retryIn > 0),
        demands.map(({ policy }) => policy === 'burst'),
      )
    }
    const untouched = await store.take([hourly, other])
    equal(
      untouched.map(({ used }) => used),
      [1, 1],
    )
  },

  'no demands bring no grants': async ({ store }) => {
    equal(await store.take([]), [])
  },
}
