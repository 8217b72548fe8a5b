import type { Grant } from '../stores/store.ts'
import { assert, equal, equalGrant } from './assert.ts'
import type { Cases } from './case.ts'

/** Cases of when a window begins and ends. */
export const WINDOW_CASES: Cases = {
  'a first unit opens a window of the full length': async ({ take, window }) => {
    const grant = await take()
    equalGrant(grant, { granted: 1, used: 1, retryIn: 0 })
    assertFullWindow(grant, window)
  },

  'a later take does not move the end of the window': async ({ take, elapse, window }) => {
    const first = await take()
    await elapse(window / 4)
    const second = await take()
    const moved = first.resetIn - second.resetIn
    assert(moved >= window / 4 - 2, `resetIn fell by ${moved} in ${window / 4} ms`)
    await elapse(second.resetIn + 1)
    equalGrant(await take(), { used: 1 })
  },

  'looking takes nothing and opens no window': async ({ take, window }) => {
    equal(await take({ cost: 0 }), { granted: 0, used: 0, resetIn: 0, retryIn: 0 })
    await take({ cost: 5 })
    const seen = await take({ cost: 0 })
    equalGrant(seen, { granted: 0, used: 5, retryIn: 0 })
    assertFullWindow(seen, window)
  },

  'a window whose expiry was lost ends a window later': async (context) => {
    const { take, window } = context
    await take({ cost: 5 })
    await context.loseExpiry()
    const found = await take({ cost: 0 })
    equalGrant(found, { granted: 0, used: 5, retryIn: 0 })
    assert(found.resetIn > 0 && found.resetIn <= window, `resetIn ${found.resetIn}`)
    await context.elapse(window + 1)
    equalGrant(await take(), { used: 1 })
  },

  'a window longer than its policy is shortened, its count kept': async (context) => {
    const { take, window } = context
    await take({ window: window * 1000, cost: 4 })
    const found = await take()
    equalGrant(found, { granted: 1, used: 5, retryIn: 0 })
    assert(found.resetIn <= window, `resetIn ${found.resetIn}`)
    await context.elapse(window + 1)
    equalGrant(await take(), { used: 1 })
  },

  'a key that was flushed is a fresh window': async ({ take, flush, window }) => {
    await take({ cost: 4 })
    await flush()
    const fresh = await take()
    equalGrant(fresh, { granted: 1, used: 1, retryIn: 0 })
    assertFullWindow(fresh, window)
  },

  'large limits and long windows are exact': async ({ take }) => {
    const limit = 999_999_999_999_999
    const month = 30 * 86_400_000
    const grant = await take({ limit, window: month, cost: limit - 1 })
    equalGrant(grant, { granted: limit - 1, used: limit - 1, retryIn: 0 })
    assert(grant.resetIn > month - 60_000 && grant.resetIn <= month, `resetIn ${grant.resetIn}`)
    const last = await take({ limit, window: month, reserve: 5 })
    equalGrant(last, { granted: 1, used: limit, retryIn: 0 })
  },
}

function assertFullWindow({ resetIn }: Grant, window: number): void {
  assert(resetIn > window / 2 && resetIn <= window, `resetIn ${resetIn} of a new window`)
}
