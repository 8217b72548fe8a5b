import { expect, test } from 'vitest'
import { addRequest, expectedRequests, isHot, newRate } from '../../src/isolate/request-rate.ts'

/** A key that was asked for so often in so many ms, at equal distances. */
function asked(times: number, ms: number) {
  const key = newRate(0)
  for (let time = 0; time < times; time++) addRequest(key, (time * ms) / times)
  return key
}

test('a rate that lasts is believed whole: 200 a second for 20 seconds, give or take 5 %', () => {
  const next = expectedRequests(asked(4000, 20_000), 1000)
  expect(next).toBeGreaterThan(190)
  expect(next).toBeLessThan(210)
})

test('a rate that has just begun is believed in part, and more the longer it lasts', () => {
  const believed = [100, 300, 1000, 3000].map(
    (ms) => expectedRequests(asked(ms / 5, ms), 1000) / 200,
  )
  expect(believed).toEqual(believed.toSorted((a, b) => a - b))
  expect(believed[0]).toBeLessThan(0.1)
  expect(believed[2]).toBeGreaterThan(0.4)
})

test('three requests a second are hot once they have lasted, one is not', () => {
  expect(isHot(asked(60, 20_000))).toBe(true)
  expect(isHot(asked(20, 20_000))).toBe(false)
})
