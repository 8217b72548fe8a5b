import { describe, expect, test } from 'vitest'
import type { PolicyState } from '../../src/index.ts'
import { xRateLimit } from '../../src/response/x-ratelimit.ts'

const state = (more: Partial<PolicyState> = {}): PolicyState => ({
  name: '',
  limit: 100,
  window: 60_000,
  remaining: 50,
  resetIn: 30_000,
  retryIn: 0,
  ...more,
})

/** Writes the tightest policy into the fields, and reads limit, remaining and reset. */
function write(tightest: PolicyState, headers = new Headers()) {
  xRateLimit.write(headers, [state({ name: 'other', remaining: 99 }), tightest], tightest)
  return ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`))
}

test('the three fields are those of the tightest policy', () => {
  expect(write(state())).toEqual(['100', '50', '30'])
})

test('no other field is written', () => {
  const headers = new Headers()
  write(state(), headers)
  expect(xRateLimit.names.map((name) => name.toLowerCase()).sort()).toEqual([...headers.keys()])
})

describe('the reset is in seconds from now, rounded up', () => {
  const times: readonly (readonly [number, string])[] = [
    [0, '0'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [86_400_000, '86400'],
  ]
  for (const [resetIn, seconds] of times) {
    test(`${resetIn} ms are ${seconds}`, () => {
      expect(write(state({ resetIn }))[2]).toBe(seconds)
    })
  }
})

describe('of stacked limiters the one with the least left shows, whole', () => {
  const loose = state({ limit: 1000, remaining: 900, resetIn: 3_600_000 })
  const tight = state({ limit: 10, remaining: 3, resetIn: 1000 })
  for (const [order, [inner, outer]] of Object.entries({
    'when it is the inner one': [tight, loose],
    'when it is the outer one': [loose, tight],
  } as const)) {
    test(order, () => {
      const headers = new Headers()
      write(inner, headers)
      expect(write(outer, headers)).toEqual(['10', '3', '1'])
    })
  }

  test('and an upstream with more left is overwritten, fields that it left out too', () => {
    const headers = new Headers({ 'X-RateLimit-Remaining': '51', 'X-RateLimit-Limit': '9999' })
    expect(write(state(), headers)).toEqual(['100', '50', '30'])
  })

  test('and an upstream whose number is none is overwritten', () => {
    for (const remaining of ['many', '', '-', '0x', '-1', '0x1']) {
      const headers = new Headers({ 'X-RateLimit-Remaining': remaining })
      expect(write(state(), headers), remaining).toEqual(['100', '50', '30'])
    }
  })
})
