import { describe, expect, test } from 'vitest'
import { memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const demand = (client: string, more = {}) => ({
  policy: '',
  client,
  limit: 1,
  window: 1000,
  cost: 1,
  ...more,
})

describe('memory', () => {
  test('holds 10,000 keys by default, and beyond it forgets the sixteenth that opened first', async () => {
    const store = memory({ clock: manualClock() })
    const granted = async (client: string) => (await store.take([demand(client)]))[0]?.granted
    for (let index = 0; index < 10_000; index++) await granted(`${index}`)
    expect(await granted('0')).toBe(0)
    expect(await granted('one more')).toBe(1)
    expect(await granted('626')).toBe(0)
    expect(await granted('0')).toBe(1)
    expect(await granted('625')).toBe(1)
  })

  test('drops windows that ended, so that they crowd out none that is open', async () => {
    const clock = manualClock()
    const store = memory({ clock, maxKeys: 2 })
    const hourly = demand('long', { policy: 'hourly', window: 3_600_000 })
    await store.take([hourly])
    for (let short = 0; short < 5; short++) {
      await store.take([demand(`short ${short}`)])
      clock.advance(1000)
    }
    expect((await store.take([hourly]))[0]?.granted).toBe(0)
  })

  test('forgets windows of the policy that has the most, so that no other is crowded out', async () => {
    const store = memory({ clock: manualClock(), maxKeys: 32 })
    const login = demand('a', { policy: 'login' })
    await store.take([login])
    for (let client = 0; client < 100; client++) await store.take([demand(`${client}`)])
    expect((await store.take([login]))[0]?.granted).toBe(0)
    expect((await store.take([demand('99')]))[0]?.granted).toBe(0)
    expect((await store.take([demand('50')]))[0]?.granted).toBe(1)
  })

  for (const maxKeys of [0, -1, 1.5, Number.NaN, '10']) {
    test(`refuses ${JSON.stringify(maxKeys)} for maxKeys`, () => {
      expect(() => memory({ maxKeys } as never)).toThrow('maxKeys: got')
    })
  }
})
