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

  test('drops all windows that ended when it makes room', async () => {
    const clock = manualClock()
    const store = memory({ clock, maxKeys: 32 })
    for (let client = 0; client < 32; client++) {
      await store.take([demand(`${client}`)])
      if (client === 15) clock.advance(500)
    }
    clock.advance(500)
    for (let client = 32; client < 48; client++) await store.take([demand(`${client}`)])
    for (let client = 16; client < 48; client++) {
      expect((await store.take([demand(`${client}`)]))[0]?.granted).toBe(0)
    }
  })

  test('holds so many for each policy, so that no policy crowds out another', async () => {
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
      expect(() => memory({ maxKeys } as never)).toThrow(/^maxKeys: expected .+, got/)
    })
  }
})
