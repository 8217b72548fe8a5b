import { expect, test } from 'vitest'
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
