import { describe, expect, test } from 'vitest'
import type { StoreError } from '../../src/errors.ts'
import { memory } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { Demand, Store } from '../../src/stores/store.ts'
import type { StoreEvent } from '../../src/stores/store-event.ts'
import { manualClock } from '../../src/testing/index.ts'
import { allLease, isolate } from '../support/guarded.ts'
import { pause } from '../support/pause.ts'

const demand: Demand = { policy: '', client: 'a', limit: 1000, window: 60_000, cost: 1 }

class ThrowingMessage extends Error {
  override get message(): string {
    throw new Error('no message')
  }
}

/** What a store of somebody else's may throw, and `String` cannot convert. */
const UNPRINTABLE: Readonly<Record<string, unknown>> = {
  'an object without prototype': Object.create(null),
  'an error whose message throws': new ThrowingMessage(),
  'an error whose name is a symbol': Object.assign(new Error('away'), { name: Symbol('name') }),
  'an error whose cause has a symbol for its code': new Error('away', {
    cause: Object.assign(new Error('reset'), { code: Symbol('code') }),
  }),
}

describe('a store that fails with an error that cannot be printed', () => {
  for (const [name, error] of Object.entries(UNPRINTABLE)) {
    test(`is away like any other: ${name}`, async () => {
      const store: Store = { take: () => Promise.reject(error) }
      const errors: StoreError[] = []
      const onStoreEvent = (event: StoreEvent) => {
        if (event.type === 'away') errors.push(event.error)
      }
      const guarded = isolate(store, manualClock(), { onStoreEvent })
      for (const used of [1, 2]) {
        expect(await guarded.take([demand])).toMatchObject([{ granted: 1, used, source: 'local' }])
      }
      expect(errors).toMatchObject([{ name: 'StoreError', code: 'unreachable' }])
      expect(errors[0]?.message).toMatch(/^the store failed: ./)
    })

    test(`is away like any other, behind a client of Redis: ${name}`, async () => {
      const fail = () => Promise.reject(error)
      const client = { eval: fail, evalsha: fail, incrby: fail }
      const store = redisStore(client, { name: 'redis', prefix: 'k' })
      await expect(store.take([demand])).rejects.toMatchObject({
        name: 'StoreError',
        code: 'unreachable',
      })
    })
  }

  test('keeps no units that were set aside for the call', async () => {
    const clock = manualClock()
    const near = memory({ clock })
    let isAway = false
    const store: Store = {
      take: (demands) => (isAway ? Promise.reject(Object.create(null)) : near.take(demands)),
    }
    const leasing = isolate(store, clock, { policies: allLease(2000) })
    const used = async () => (await leasing.take([demand]))[0]
    for (let n = 0; n < 50; n++) {
      await used()
      clock.advance(20)
    }
    const before = await used()
    expect(before?.source).toBe('lease')
    isAway = true
    const small = { ...demand, policy: 'small', limit: 1 }
    for (const granted of [1, 0, 0]) {
      const grants = await leasing.take([demand, small])
      expect(grants.map((grant) => grant.granted)).toEqual([granted, granted])
    }
    // One of the three calls and this one were granted a unit.
    expect(await used()).toMatchObject({ used: (before?.used ?? 0) + 2, source: 'lease' })
  })
})

test('an error of a custom store does not name the clients of its call', async () => {
  const store: Store = { take: () => Promise.reject(new Error('no row for visitor-4711')) }
  const events: StoreEvent[] = []
  const onStoreEvent = (event: StoreEvent) => void events.push(event)
  const one = { ...demand, client: 'visitor-4711' }
  await isolate(store, manualClock(), { onStoreEvent }).take([one])
  const message = 'the store failed: Error: no row for …'
  expect(events).toMatchObject([{ type: 'away', error: { message, cause: expect.anything() } }])
})

describe('a callback that throws an error that cannot be printed', () => {
  test('of the store, is logged', async () => {
    const store: Store = { take: () => Promise.reject(new Error('away')) }
    const onStoreEvent = () => Promise.reject(Object.create(null))
    const lines = await errorsOf(async () => {
      await isolate(store, manualClock(), { onStoreEvent }).take([demand])
      await pause(1)
    })
    expect(lines).toEqual(['tidegate: onStoreEvent threw an error: an error that cannot be shown'])
  })

  for (const [name, error, said] of [
    ['is logged', Object.create(null), 'an error that cannot be shown'],
    ['is logged without secrets', new Error('no token=s3cret'), 'no token=…'],
  ]) {
    test(`of the host, to keep work alive, ${name}`, async () => {
      const clock = manualClock()
      const leasing = isolate(memory({ clock }), clock, { policies: allLease(2000) })
      const waitUntil = () => {
        throw error
      }
      const lines = await errorsOf(async () => {
        for (let n = 0; n < 100; n++) {
          await leasing.take([demand], { waitUntil })
          clock.advance(20)
        }
        await pause(1)
      })
      expect(lines).toEqual([
        `tidegate: waitUntil failed (${said}): pass it as (work) => context.waitUntil(work)`,
      ])
    })
  }
})

/** What is written to console.error meanwhile, and not shown. */
async function errorsOf(body: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = []
  const { error } = console
  console.error = (line: string) => lines.push(line)
  try {
    await body()
  } finally {
    console.error = error
  }
  return lines
}
