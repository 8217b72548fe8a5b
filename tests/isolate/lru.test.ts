import { describe, expect, test } from 'vitest'
import { lru } from '../../src/isolate/lru.ts'

test('what was used of late is kept, and never more than so many keys', () => {
  const kept = lru<number>(undefined, 100)
  for (let n = 0; n < 100_000; n++) {
    kept.set(`${n}`, n)
    // Asked for all the time, it outlives all that are not.
    expect(kept.get('0')).toBe(0)
  }
  const left = Array.from({ length: 100_000 }, (_, n) => `${n}`).filter(
    // Newest first, since asking itself makes a key stay.
    (_, index) => kept.get(`${99_999 - index}`) !== undefined,
  )
  expect(left.length).toBeGreaterThanOrEqual(50)
  expect(left.length).toBeLessThanOrEqual(101)
})

test('what was set again or deleted is not found in its old form', () => {
  const kept = lru<number>(undefined, 4)
  kept.set('a', 1)
  kept.set('b', 1)
  kept.set('a', 2)
  expect(kept.get('a')).toBe(2)
  kept.delete('a')
  expect(kept.get('a')).toBeUndefined()
  expect(kept.get('b')).toBe(1)
})

describe('entries that are kept', () => {
  /** Entries that are kept until `end`, and how many of the last ones are found. */
  function keeping(maxKeys: number) {
    const ended = new Set<string>()
    const entries = lru<string>((value) => value.startsWith('kept') && !ended.has(value), maxKeys)
    const add = (name: string, count: number) => {
      for (let n = 0; n < count; n++) entries.set(`${name} ${n}`, `${name} ${n}`)
    }
    const found = (name: string, count: number) => {
      let sum = 0
      // Newest first, since asking itself makes a key stay.
      for (let n = count - 1; n >= 0; n--) if (entries.get(`${name} ${n}`)) sum++
      return sum
    }
    const end = (name: string, count: number) => {
      for (let n = 0; n < count; n++) ended.add(`${name} ${n}`)
    }
    return { entries, add, found, end }
  }

  test('outlive any number of others, up to half of all', () => {
    const { add, found } = keeping(100)
    add('kept', 50)
    add('new', 10_000)
    expect(found('kept', 50)).toBe(50)
  })

  test('are evicted by half as many others of their kind, least recently used first', () => {
    const { entries, add, found } = keeping(100)
    add('kept', 10)
    add('new', 200)
    for (let n = 0; n < 5; n++) entries.get(`kept ${n}`)
    add('kept too', 45)
    add('new', 200)
    expect(found('kept too', 45)).toBe(45)
    expect(found('kept', 5)).toBe(5)
    for (let n = 5; n < 10; n++) expect(entries.get(`kept ${n}`)).toBeUndefined()
  })

  test('leave room for others, and are counted with them', () => {
    const { add, found } = keeping(100)
    add('kept', 10_000)
    add('new', 24)
    const others = found('new', 24)
    expect(others).toBe(24)
    expect(others + found('kept', 10_000)).toBeLessThanOrEqual(101)
  })

  test('are never more than all, even if every entry becomes one of them', () => {
    const { entries, add } = keeping(100)
    add('kept', 100)
    add('new', 1)
    expect(entries.get('kept 0')).toBeUndefined()
  })

  test('give their places back once there is no more reason to keep them', () => {
    const { add, found, end } = keeping(100)
    add('kept', 50)
    add('new', 200)
    end('kept', 50)
    add('new', 200)
    expect(found('kept', 50)).toBe(0)
    expect(found('new', 200)).toBeGreaterThanOrEqual(50)
  })

  test('are not found in an old form after they were set again or deleted', () => {
    const { entries, add } = keeping(4)
    entries.set('kept', 'kept')
    entries.set('deleted', 'kept')
    add('new', 10)
    entries.set('kept', 'changed')
    entries.delete('deleted')
    expect(entries.get('kept')).toBe('changed')
    add('new', 10)
    expect(entries.get('kept')).toBeUndefined()
    expect(entries.get('deleted')).toBeUndefined()
  })

  test('are not found in an old form after they were set again in the young generation', () => {
    const { entries, add } = keeping(4)
    entries.set('kept', 'kept')
    add('new', 1)
    entries.set('kept', 'changed')
    add('new', 10)
    expect(entries.get('kept')).toBeUndefined()
  })
})
