import { describe, expect, test } from 'vitest'
import { guard, memory, type Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'
import type { Grant, Settlement } from '../../src/stores/store.ts'
import { manualClock } from '../../src/testing/index.ts'
import { guarded } from '../support/guarded.ts'

const TIMEOUT = 1_000
const demand = (id: string, limit = 1) => ({
  policy: 'login',
  client: 'a',
  limit,
  window: 60_000,
  cost: 1,
  settling: id,
})

/**
 * A guard around memory, and the calls that it sends. `before` runs before an answer is returned, and
 * `way` before a settlement arrives.
 */
function remote() {
  const clock = manualClock()
  const { take, settle = async () => [] } = settling(memory({ clock }))
  const calls = { takes: 0, settlements: 0 }
  const before = { take: async () => {}, settle: async () => {} }
  const way = { settle: async () => {} }
  const store: Store = {
    guard,
    async take(demands) {
      calls.takes++
      const grants = await take(demands)
      await before.take()
      return grants
    },
    async settle(settlements) {
      calls.settlements++
      await way.settle()
      const changed = await settle(settlements)
      await before.settle()
      return changed
    },
  }
  const work: Promise<unknown>[] = []
  const isolate = guarded(store, clock, { timeout: TIMEOUT, timer: clock.timer })
  return {
    clock,
    calls,
    before,
    way,
    take: async (id: string, limit?: number) =>
      (await isolate.take([demand(id, limit)], { waitUntil: (one) => void work.push(one) }))[0],
    settle: async (settlement: Settlement) => isolate.settle?.([settlement]),
    done: () => Promise.all(work),
  }
}

const settlementOf = (id: string, grant: Grant | undefined, used: number): Settlement => ({
  id,
  policy: 'login',
  client: 'a',
  windowName: grant?.windowName ?? '',
  reserved: 1,
  used,
})
const lost = () => Promise.reject(new Error('the answer is lost'))

describe('a client that the store refuses', () => {
  test('is granted if units were given back after the store had decided', async () => {
    const { take, settle, before, calls } = remote()
    const first = await take('first')
    before.take = async () => {
      before.take = async () => {}
      await settle(settlementOf('first', first, 0))
    }
    expect((await take('second'))?.granted).toBe(1)
    expect(calls).toEqual({ takes: 3, settlements: 1 })
  })

  test('is granted if the settlement never reached the store', async () => {
    const { take, settle, way, calls } = remote()
    const first = await take('first')
    way.settle = lost
    await settle(settlementOf('first', first, 0))
    way.settle = async () => {}
    expect((await take('second'))?.granted).toBe(1)
    expect(calls).toEqual({ takes: 3, settlements: 2 })
  })

  test('costs one call if nothing is on its way back', async () => {
    const { take, settle, before, calls } = remote()
    const first = await take('first')
    before.settle = lost
    await settle(settlementOf('first', first, 1))
    before.settle = async () => {}
    expect((await take('second', 1))?.granted).toBe(0)
    expect(calls).toEqual({ takes: 2, settlements: 1 })
  })

  test('costs at most eight calls, however often units are given back', async () => {
    const { take, settle, before, calls } = remote()
    let last = await take('first')
    let name = 'first'
    const { windowName } = last ?? {}
    // Others of the client take each unit that is given back, through another isolate.
    before.take = async () => {
      const { take: hold } = before
      before.take = async () => {}
      await settle(settlementOf(name, { ...(last as Grant), windowName: `${windowName}` }, 0))
      name = `other ${calls.takes}`
      last = await take(name)
      before.take = hold
    }
    expect((await take('second'))?.granted).toBe(0)
    expect(calls.settlements).toBe(8)
  })

  test('gives its next attempt another name, since its first one may have named a window', async () => {
    const clock = manualClock()
    const inner = settling(memory({ clock }))
    const key = { policy: 'login', client: 'a', window: 100 }
    const taking = (settling: string | undefined, cost: number) => ({
      ...{ ...key, limit: 2, cost, settling },
    })
    let duringFirst = async () => {}
    const isolate = guarded(
      {
        guard,
        async take(demands) {
          const grants = await inner.take(demands)
          const during = duringFirst
          duringFirst = async () => {}
          await during()
          return grants
        },
        settle: async (settlements) => inner.settle?.(settlements) ?? [],
      },
      clock,
      { timeout: TIMEOUT, timer: clock.timer },
    )
    // A limiter without `settle` opens the window, which has no name.
    await inner.take([taking(undefined, 1)])
    let other: Grant | undefined
    duringFirst = async () => {
      other = (await inner.take([taking('other', 1)]))[0]
      await isolate.settle?.([{ ...key, id: 'gone', windowName: 'gone', reserved: 1, used: 0 }])
      clock.advance(101)
    }
    // The first attempt does not fit, and the second one opens the next window.
    const [grant] = await isolate.take([taking('second', 2)])
    expect(grant).toMatchObject({ granted: 2, used: 2 })
    const windowName = `${other?.windowName}`
    const late = { ...key, id: 'other', windowName, reserved: 1, used: 0 }
    expect(await isolate.settle?.([late])).toEqual([false])
  })

  test('costs at most eight calls also over settling(settling(store))', () => {
    const store = settling(memory())
    expect(settling(store)).toBe(store)
  })

  test('shares the overdue settlements with the other requests of that moment', async () => {
    const { take, settle, way, calls, clock, done } = remote()
    const first = await take('first', 1_000)
    way.settle = lost
    for (let index = 0; index < 250; index++) await settle(settlementOf(`of ${index}`, first, 1))
    way.settle = async () => {}
    await clock.advance(TIMEOUT + 1)
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => take(id, 1_000)))
    await done()
    expect(calls.settlements).toBe(250 + 3)
  })

  test('has at most 10,000 settlements sent again', async () => {
    const { take, settle, way, calls, clock, done } = remote()
    const first = await take('first', 5)
    way.settle = lost
    for (let index = 0; index < 10_001; index++) await settle(settlementOf(`of ${index}`, first, 1))
    way.settle = async () => {}
    await clock.advance(TIMEOUT + 1)
    await take('second', 5)
    await done()
    expect(calls.settlements).toBe(10_001 + 100)
  })

  test('has its overdue settlements sent again, also those that give nothing back', async () => {
    const { take, settle, before, calls, clock, done } = remote()
    const first = await take('first')
    before.settle = lost
    await settle(settlementOf('first', first, 1))
    before.settle = async () => {}
    await clock.advance(TIMEOUT + 1)
    expect((await take('second'))?.granted).toBe(0)
    await done()
    expect(calls.settlements).toBe(2)
    await take('third')
    expect(calls.settlements).toBe(2)
  })
})
