import { describe, expect, test } from 'vitest'
import { newLease } from '../../src/isolate/lease.ts'
import { type KeyRecord, learn, newRecord, type SentDemand } from '../../src/isolate/record.ts'
import type { Grant } from '../../src/stores/store.ts'

const MINUTE = 60_000
const grantOf = (used: number, more: Partial<Grant> = {}): Grant => ({
  granted: 1,
  used,
  resetIn: MINUTE,
  retryIn: 0,
  ...more,
})

/** What is known of the key now, as a question notes it when it is sent. */
const askedNow = ({ windowId, window, local }: KeyRecord): SentDemand => ({
  reserve: 0,
  windowId,
  window,
  local,
})

/** A record that has seen 5 units used in a window, in the millisecond 100. */
function recordAt100(): KeyRecord {
  const record = newRecord('a')
  learn(record, askedNow(record), grantOf(5), 100, 100)
  return record
}

describe('two windows of one key that were first seen in one millisecond', () => {
  test('are told apart: an answer to a question about the former is no proof of a third', () => {
    const record = recordAt100()
    const former = askedNow(record)
    // The key was lost. Both questions knew the former window, and both were counted in the next.
    learn(record, former, grantOf(1), 100, 100)
    const { windowId } = record
    learn(record, former, grantOf(2), 100, 100)
    expect(record.windowId).toBe(windowId)
    expect(record.window?.used).toBe(2)
  })

  test('do not share units: those counted in the former are not kept for the next', () => {
    const record = recordAt100()
    const former = askedNow(record)
    learn(record, former, grantOf(1), 100, 100)
    const counted = grantOf(8, { granted: 3, resetIn: 0, window: 'observed' })
    expect(learn(record, former, counted, 100, 100)).toBe(false)
    expect(record.window?.used).toBe(1)
  })
})

describe('an answer', () => {
  test('from the observed window tells how far it is used, and nothing of its end', () => {
    const record = recordAt100()
    const before = record.window
    const counted = grantOf(7, { resetIn: 0, window: 'observed' })
    expect(learn(record, askedNow(record), counted, 200, 210)).toBe(true)
    expect(record.window).toEqual({ ...before, used: 7 })
  })

  test('from a new window ends the former, also where as many units are used and it ends sooner', () => {
    const record = recordAt100()
    const lease = { ...newLease(100), units: 3 }
    record.lease = lease
    const fresh = grantOf(5, { resetIn: 30_000, window: 'new' })
    expect(learn(record, askedNow(record), fresh, 200, 200)).toBe(true)
    expect(record.window).toMatchObject({ used: 5, since: 200, over: 30_200 })
    expect(lease.units).toBe(0)
  })

  test('from a new window that is already known leaves the units that are held of it', () => {
    const record = recordAt100()
    const former = askedNow(record)
    // Both questions knew the former window, and both were counted in the next one.
    learn(record, former, grantOf(1, { window: 'new' }), 200, 200)
    const { windowId } = record
    const lease = { ...newLease(200), units: 3 }
    record.lease = lease
    expect(learn(record, former, grantOf(2, { window: 'new' }), 200, 210)).toBe(false)
    expect(record).toMatchObject({ windowId, window: { used: 2 } })
    expect(lease.units).toBe(3)
  })

  test('to a question from before the window began brings no units into it', () => {
    const record = recordAt100()
    const former = askedNow(record)
    // Longer than the former window can last: the key was lost.
    learn(record, former, grantOf(6, { resetIn: 2 * MINUTE }), 200, 200)
    // Of the former window, and overtaken on its way.
    expect(learn(record, former, grantOf(9, { granted: 4 }), 150, 210)).toBe(false)
  })

  test('of the script says again that the key has an expiry', () => {
    const record = recordAt100()
    record.isUncertain = true
    learn(record, askedNow(record), grantOf(7, { resetIn: 0, window: 'observed' }), 200, 210)
    expect(record.isUncertain).toBe(true)
    learn(record, askedNow(record), grantOf(8), 220, 230)
    expect(record.isUncertain).toBe(false)
  })

  test('that was overtaken by one with more units used lowers nothing', () => {
    const record = recordAt100()
    const asked = askedNow(record)
    const counted = (used: number) => grantOf(used, { resetIn: 0, window: 'observed' })
    learn(record, asked, counted(8), 200, 210)
    learn(record, asked, counted(7), 200, 211)
    expect(record.window?.used).toBe(8)
  })
})
