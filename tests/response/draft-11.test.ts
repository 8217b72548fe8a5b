import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PolicyState } from '../../src/index.ts'
import { draft11 } from '../../src/response/draft-11.ts'

const state = (more: Partial<PolicyState> = {}): PolicyState => ({
  name: '',
  limit: 100,
  window: 60_000,
  remaining: 99,
  resetIn: 60_000,
  retryIn: 0,
  ...more,
})

/** The two fields for these policies, of which the first is the tightest. */
function fieldsOf(policies: readonly PolicyState[], headers = new Headers()) {
  draft11.write(headers, policies, policies[0] ?? state())
  return { policy: headers.get('ratelimit-policy'), state: headers.get('ratelimit') }
}

describe('the fields, byte for byte', () => {
  test('of the unnamed policy, which is called default', () => {
    expect(fieldsOf([state({ remaining: 50, resetIn: 30_000 })])).toEqual({
      policy: '"default";q=100;w=60',
      state: '"default";r=50;t=30',
    })
  })

  test('of several policies, in their order', () => {
    const policies = [
      state({ name: 'burst', limit: 10, window: 1000, remaining: 0, resetIn: 1, retryIn: 1 }),
      state({ name: 'per.day_2-x', limit: 5000, window: 86_400_000, remaining: 4999 }),
    ]
    expect(fieldsOf(policies)).toEqual({
      policy: '"burst";q=10;w=1, "per.day_2-x";q=5000;w=86400',
      state: '"burst";r=0;t=1, "per.day_2-x";r=4999;t=60',
    })
  })

  test('of the largest numbers, without an exponent', () => {
    const largest = 999_999_999_999_999
    const policy = state({ limit: largest, remaining: largest, window: largest, resetIn: largest })
    expect(fieldsOf([policy])).toEqual({
      policy: '"default";q=999999999999999;w=1000000000000',
      state: '"default";r=999999999999999;t=1000000000000',
    })
  })

  test('without t where no window is open', () => {
    expect(fieldsOf([state({ resetIn: 0 })]).state).toBe('"default";r=99')
  })

  test('without a header more', () => {
    const headers = new Headers()
    fieldsOf([state()], headers)
    expect([...headers.keys()].sort()).toEqual(['ratelimit', 'ratelimit-policy'])
    expect(draft11.names.map((name) => name.toLowerCase()).sort()).toEqual([...headers.keys()])
  })
})

describe('seconds are rounded up', () => {
  const times: readonly (readonly [number, number])[] = [
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
    [59_999, 60],
    [60_000, 60],
    [60_000.001, 61],
  ]
  for (const [ms, seconds] of times) {
    test(`${ms} ms are ${seconds}`, () => {
      expect(fieldsOf([state({ window: ms, resetIn: ms })])).toEqual({
        policy: `"default";q=100;w=${seconds}`,
        state: `"default";r=99;t=${seconds}`,
      })
    })
  }
})

test('stacked limiters append, so that a reader sees one list', () => {
  const headers = new Headers()
  fieldsOf([state({ name: 'inner' })], headers)
  expect(fieldsOf([state({ name: 'outer', remaining: 5 })], headers)).toEqual({
    policy: '"inner";q=100;w=60, "outer";q=100;w=60',
    state: '"inner";r=99;t=60, "outer";r=5;t=60',
  })
})

test('a writer that wrote of policies before writes of each as it is now', () => {
  const writer = draft11
  const write = (policies: readonly PolicyState[]) => {
    const headers = new Headers()
    writer.write(headers, policies, policies[0] ?? state())
    return headers.get('ratelimit-policy')
  }
  const [burst, hourly] = [state({ name: 'burst' }), state({ name: 'hourly', limit: 5 })]
  for (let times = 0; times < 2; times++) {
    expect(write([burst, hourly])).toBe('"burst";q=100;w=60, "hourly";q=5;w=60')
    expect(write([hourly])).toBe('"hourly";q=5;w=60')
    expect(write([burst])).toBe('"burst";q=100;w=60')
    expect(write([state({ name: 'burst', limit: 7 })])).toBe('"burst";q=7;w=60')
    expect(write([state({ name: 'burst', window: 1000 })])).toBe('"burst";q=100;w=1')
  }
})

test('a parser of RFC 9651 reads back whatever is written', () => {
  const count = fc.integer({ min: 1, max: 999_999_999_999_999 })
  const name = fc.string({
    unit: fc.constantFrom(...'abcXYZ019._-'),
    minLength: 1,
    maxLength: 64,
  })
  const policy = fc.record({
    name: fc.oneof(fc.constant(''), name),
    limit: count,
    window: count,
    remaining: fc.nat(999_999_999_999_999),
    resetIn: fc.oneof(fc.constant(0), count),
    retryIn: fc.constant(0),
  })
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 5 }), (policies) => {
      const fields = fieldsOf(policies)
      expect(parseList(fields.policy)).toEqual(
        policies.map(({ name, limit, window }) => [
          name || 'default',
          { q: limit, w: Math.ceil(window / 1000) },
        ]),
      )
      expect(parseList(fields.state)).toEqual(
        policies.map(({ name, remaining, resetIn }) => [
          name || 'default',
          { r: remaining, ...(resetIn > 0 && { t: Math.ceil(resetIn / 1000) }) },
        ]),
      )
    }),
  )
})

/**
 * A List of Strings with Parameters that are Integers, by the algorithms of RFC 9651 §4.2: all that
 * the draft needs. Throws where they fail parsing.
 */
function parseList(field: string | null): [string, Record<string, number>][] {
  const items: [string, Record<string, number>][] = []
  let rest = (field ?? '').replace(/^ +/, '')
  const read = (pattern: RegExp) => {
    const [all, value] = pattern.exec(rest) ?? []
    if (all === undefined) throw new SyntaxError(`no ${pattern} at "${rest}"`)
    rest = rest.slice(all.length)
    return value ?? ''
  }
  while (rest !== '') {
    const name = read(/^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/)
    const parameters: Record<string, number> = {}
    while (rest.startsWith(';')) {
      const key = read(/^; *([a-z*][a-z0-9_\-.*]*)=/)
      parameters[key] = Number(read(/^(-?\d{1,15})(?![\d.])/))
    }
    items.push([name.replace(/\\(.)/g, '$1'), parameters])
    if (rest !== '') read(/^[ \t]*,[ \t]*(?!$)/)
  }
  return items
}
