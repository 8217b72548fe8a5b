import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCount, MAX_INTEGER } from '../../src/checks.ts'
import { ConfigError } from '../../src/errors.ts'
import { createLimiter, type LimiterOptions, memory } from '../../src/index.ts'
import { parseDuration } from '../../src/policy/duration.ts'
import { compileGate } from '../../src/worker/front.ts'
import { warningsOf } from '../support/warnings.ts'

const DAY = 86_400_000

describe('a duration is a number of milliseconds', () => {
  const durations: readonly (readonly [unknown, number])[] = [
    [1, 1],
    [60_000, 60_000],
    [MAX_INTEGER, 999_999_999_999_999],
    ['1ms', 1],
    ['500ms', 500],
    ['10s', 10_000],
    ['1m', 60_000],
    ['90m', 5_400_000],
    ['1h', 3_600_000],
    ['1d', DAY],
    ['365d', 365 * DAY],
    ['007s', 7000],
  ]
  for (const [value, ms] of durations) {
    test(`${JSON.stringify(value)} is ${ms}`, () => {
      expect(parseDuration('window', value)).toBe(ms)
    })
  }
})

describe('anything else is an error that says what is wanted', () => {
  const bad: readonly (readonly [unknown, string])[] = [
    [undefined, 'nothing'],
    [null, 'null'],
    [true, 'true'],
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [MAX_INTEGER + 1, '1000000000000000'],
    ['', '""'],
    ['1', '"1"'],
    ['s', '"s"'],
    ['0s', '"0s"'],
    ['-1s', '"-1s"'],
    ['+1s', '"+1s"'],
    ['1.5h', '"1.5h"'],
    ['1e3s', '"1e3s"'],
    ['1 m', '"1 m"'],
    [' 1m', '" 1m"'],
    ['1m\n', '"1m\\n"'],
    ['1M', '"1M"'],
    ['1w', '"1w"'],
    ['1min', '"1min"'],
    ['1h30m', '"1h30m"'],
    ['5 minits', '"5 minits"'],
    ['\u0661s', '"\u0661s"'],
    ['99999999999999d', '"99999999999999d"'],
    [`${'9'.repeat(400)}d`, 'a string of 401 characters'],
    [[60_000], 'a list'],
    [{ seconds: 1 }, 'an object'],
    [60_000n, 'a bigint'],
    [() => 60_000, 'a function'],
    [Symbol('1m'), 'a symbol'],
  ]
  for (const [value, shown] of bad) {
    test(`got ${shown}`, () => {
      expect(() => parseDuration('window', value)).toThrow(
        `window: expected a duration such as "1m" or a number of milliseconds, got ${shown}`,
      )
    })
  }

  test('which names the option that it was given', () => {
    expect(() => parseDuration('policies[1].window', '')).toThrow(
      /^policies\[1\]\.window: expected .+, got ""/,
    )
  })
})

describe('a bare number that looks like seconds is warned of', () => {
  const warned = (options: object) =>
    warningsOf(() => {
      const good = { limit: 5, window: '1m', store: memory() }
      createLimiter({ ...good, ...options } as LimiterOptions<object>)
    })

  test('once, in a line that names the option and says what to write', () => {
    expect(warned({ window: 60 })).toEqual([
      "tidegate: window: 60 means 60 milliseconds. Write '60s' for seconds, or '60ms' to turn off this warning",
    ])
    expect(warned({ window: 60 })).toEqual([])
  })

  test('in a list by its index', () => {
    const policies = [
      { name: 'a', limit: 5, window: '1m' },
      { name: 'b', limit: 5, window: 61 },
    ]
    const [line, ...more] = warningsOf(() => {
      createLimiter({ policies, store: memory() } as LimiterOptions<object>)
    })
    expect(line).toMatch(/^tidegate: policies\[1\]\.window: 61 means 61 milliseconds\. /)
    expect(more).toEqual([])
  })

  test('in POLICIES once, though a Worker reads it twice', () => {
    const POLICIES = '[{ "limit": 5, "window": 62 }]'
    const [line, ...more] = warningsOf(() => compileGate({ store: memory() }, { POLICIES }))
    expect(line).toMatch(/^tidegate: POLICIES\[0\]\.window: 62 means 62 milliseconds\. /)
    expect(more).toEqual([])
  })

  const others: readonly (readonly [string, object])[] = [
    ['window: 1 means 1 milliseconds', { window: 1 }],
    ['window: 999 means 999 milliseconds', { window: 999 }],
    ['lease.ahead: 4 means 4 milliseconds', { lease: { ahead: 4 } }],
    ['timeout: 5 means 5 milliseconds', { timeout: 5 }],
    ['timeout: 49 means 49 milliseconds', { timeout: 49 }],
  ]
  for (const [text, options] of others) {
    test(text, () => {
      const [line, ...more] = warned(options)
      expect(line).toContain(`tidegate: ${text}. Write`)
      expect(more).toEqual([])
    })
  }

  test('ORIGIN_TIMEOUT: 30 means 30 milliseconds', () => {
    const POLICIES = [{ limit: 5, window: '1m' }]
    const [line] = warningsOf(() =>
      compileGate({ store: memory() }, { POLICIES, ORIGIN_TIMEOUT: 30 }),
    )
    expect(line).toContain('tidegate: ORIGIN_TIMEOUT: 30 means 30 milliseconds. Write')
  })

  const silent: readonly object[] = [
    { window: '63ms' },
    { window: 1000 },
    { window: 60_000 },
    { lease: { ahead: '5ms' } },
    { lease: { ahead: 1000 } },
    { timeout: '6ms' },
    { timeout: 50 },
    { timeout: 500 },
  ]
  for (const options of silent) {
    test(`but not ${JSON.stringify(options)}`, () => {
      expect(warned(options)).toEqual([])
    })
  }
})

test('whatever is no error is a whole number from 1 that a header field can carry', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0159.-+e msMhdw'), maxLength: 20 })
  fc.assert(
    fc.property(fc.oneof(text, fc.anything()), (value) => {
      let ms = 1
      try {
        ms = parseDuration('window', value)
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
      expect(isCount(ms)).toBe(true)
    }),
  )
})
