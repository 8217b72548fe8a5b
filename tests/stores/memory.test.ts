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

/** A store with few keys, and how many units a client has used. */
function small(maxKeys = 32) {
  const clock = manualClock()
  const store = memory({ clock, maxKeys })
  const take = async (client: string, more = {}) => (await store.take([demand(client, more)]))[0]
  const used = async (client: string, more = {}) => (await take(client, { ...more, cost: 0 }))?.used
  /** Clients that have used one of three units. */
  const flood = async (clients: number, name = 'new') => {
    for (let n = 0; n < clients; n++) await take(`${name} ${n}`, { limit: 3 })
  }
  const exhaust = async (clients: number, name = 'attacker') => {
    for (let n = 0; n < clients; n++) await take(`${name} ${n}`)
  }
  return { clock, take, used, flood, exhaust }
}

describe('memory', () => {
  test('holds 10,000 keys by default, and beyond it forgets the sixteenth that opened first', async () => {
    const store = memory({ clock: manualClock() })
    const used = async (client: string, cost = 0) =>
      (await store.take([demand(client, { limit: 3, cost })]))[0]?.used
    for (let index = 0; index < 10_000; index++) await used(`${index}`, 1)
    expect(await used('0')).toBe(1)
    expect(await used('one more', 1)).toBe(1)
    expect(await used('626')).toBe(1)
    expect(await used('0')).toBe(0)
    expect(await used('625')).toBe(0)
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
    const { take, used, flood } = small()
    await take('a', { policy: 'login', limit: 3 })
    await flood(100)
    expect(await used('a', { policy: 'login' })).toBe(1)
    expect(await used('new 99')).toBe(1)
    expect(await used('new 50')).toBe(0)
  })

  test('a flood of 30,000 new keys frees no client that has used up its limit', async () => {
    const { take, flood } = small(10_000)
    await take('a')
    await take('b', { limit: 3, cost: 2 })
    await take('b', { limit: 3, cost: 2 })
    await flood(30_000)
    expect(await take('a')).toMatchObject({ granted: 0, used: 1 })
    // It was refused, although a unit is left.
    expect(await take('b', { limit: 3, cost: 2 })).toMatchObject({ granted: 0, used: 2 })
  })

  test('an attacker frees a client by exhausting half of the keys, and not by less', async () => {
    for (const [attackers, granted] of [
      [15, 0],
      [16, 1],
    ] as const) {
      const { take, flood, exhaust } = small()
      await take('a')
      await exhaust(attackers)
      await flood(100)
      expect(await take('a')).toMatchObject({ granted })
    }
  })

  test('exhausted clients leave half of the keys to others, and memory stays bounded', async () => {
    const { used, flood, exhaust } = small()
    await exhaust(1000)
    await flood(16)
    await exhaust(14)
    let exhausted = 0
    let counting = 0
    for (let n = 0; n < 1000; n++) {
      exhausted += (await used(`attacker ${n}`)) ?? 0
      counting += (await used(`new ${n}`)) ?? 0
    }
    // Half, but for the sixteenth that is evicted at once.
    expect(counting).toBeGreaterThanOrEqual(14)
    expect(exhausted).toBeGreaterThanOrEqual(14)
    expect(exhausted + counting).toBeLessThanOrEqual(32)
  })

  test('an exhausted client whose window has ended is the first to be evicted', async () => {
    const { clock, used, flood, exhaust } = small()
    await exhaust(16)
    clock.advance(1000)
    await flood(32)
    for (let n = 0; n < 32; n++) expect(await used(`new ${n}`)).toBe(1)
  })

  test('a client that was exhausted is evicted as others are once it has a new window', async () => {
    const { clock, take, used, flood } = small()
    await take('a')
    clock.advance(1000)
    await take('a', { limit: 3 })
    await flood(32)
    expect(await used('a')).toBe(0)
  })

  for (const maxKeys of [0, -1, 1.5, Number.NaN, '10']) {
    test(`refuses ${JSON.stringify(maxKeys)} for maxKeys`, () => {
      expect(() => memory({ maxKeys } as never)).toThrow(/^maxKeys: expected .+, got/)
    })
  }
})
