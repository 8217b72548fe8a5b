import { describe, expect, test } from 'vitest'
import { readOptions } from '../../src/drill/options.ts'
import { draft11, LIMIT } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

const xOf = (remaining: number, seconds: number) => ({
  'X-RateLimit-Limit': `${LIMIT}`,
  'X-RateLimit-Remaining': `${remaining}`,
  'X-RateLimit-Reset': `${seconds}`,
})

describe('a route whose requests cost several units', () => {
  for (const [cost, passed] of [
    [2, 5],
    [3, 3],
    [10, 1],
  ] as const) {
    test(`passes with --cost ${cost}: ${passed} requests of ${LIMIT} units`, async () => {
      const { bad, burst, of } = await drilled(
        {
          cost,
          fields: (decided) => ({
            ...draft11(decided),
            ...xOf(decided.remaining, decided.seconds),
          }),
        },
        { options: { cost } },
      )
      expect(bad).toEqual([])
      expect(burst).toEqual({ sent: passed + 5, passed })
      expect(of('limit')?.says).toBe(
        `${passed} of ${passed + 5} requests passed (${passed} × 200, 5 × 429).`,
      )
      expect(of('next-window')?.says).toBe(
        `The limit holds again: ${passed} passed in the next window.`,
      )
    })
  }

  test('is found to cost less than --cost', async () => {
    const { of } = await drilled({}, { options: { cost: 2 } })
    expect(of('limit')).toMatchObject({
      level: 'failure',
      says: 'All 10 requests passed (10 × 200), and the limit is 10 per 60 s, of which a request takes 2.',
    })
    expect(of('ratelimit')?.says).toBe(
      'RateLimit does not count down by 2: 9 were left, and after one more request 8.',
    )
  })

  test('is found to cost more than --cost, with the flag to change', async () => {
    const { of } = await drilled({ cost: 5 }, { options: { cost: 2 } })
    expect(of('limit')).toMatchObject({
      level: 'failure',
      says: 'Only 2 of 10 requests passed (2 × 200, 8 × 429), and the limit is 10 per 60 s, of which a request takes 2.',
      remedy: expect.stringContaining('add --cost 5'),
    })
  })

  test('is found to refuse a request that has units left', async () => {
    const { bad, of } = await drilled({ cost: 3, admits: 5 }, { options: { cost: 3 } })
    expect(bad).toContain('limit: failure')
    expect(of('ratelimit')?.says).toBe(
      'The limit refused a request although RateLimit had shown 7 left.',
    )
  })

  test('is found to pass more units than the limit', async () => {
    const { of } = await drilled({ cost: 2, admits: 12 }, { options: { cost: 2 } })
    expect(of('limit')).toMatchObject({
      level: 'failure',
      says: expect.stringMatching(/^6 of 10 requests passed/),
    })
  })

  test('is found to contradict itself with fewer units left than a request takes', async () => {
    const { of } = await drilled(
      { cost: 3, fields: (decided) => draft11({ ...decided, seconds: 30 }) },
      { options: { cost: 3 } },
    )
    expect(of('agreement')?.says).toMatch(/^Retry-After is \d\d, and RateLimit shows t=30\.$/)
  })

  test('is found to count X-RateLimit-Remaining by requests', async () => {
    let left = LIMIT
    const { of } = await drilled(
      { cost: 3, fields: ({ isRefused, seconds }) => xOf(isRefused ? 0 : --left, seconds) },
      { options: { cost: 3 } },
    )
    expect(of('x-ratelimit')?.says).toBe(
      'X-RateLimit-Remaining does not count down by 3: 9, and after one more request 8.',
    )
  })

  test('is found to be evaded by a forged address', async () => {
    const { bad } = await drilled(
      { cost: 3, client: ({ headers }) => `${headers['x-real-ip']}` },
      { options: { cost: 3 } },
    )
    expect(bad).toEqual(['forged-address: failure'])
  })

  test('passes if units come back bit by bit', async () => {
    let tokens = LIMIT
    let since = 0
    const { bad, of } = await drilled(
      {
        waitFor(now) {
          tokens = Math.min(LIMIT, tokens + (since && (now - since) / 500))
          since = now
          if (tokens < 3) return Math.ceil((3 - tokens) * 500)
          tokens -= 3
          return 0
        },
        fields: ({ seconds }) => ({
          'RateLimit-Policy': `"bucket";q=${LIMIT};w=5`,
          RateLimit: `"bucket";r=${Math.floor(tokens)}${seconds > 0 ? `;t=${seconds}` : ''}`,
        }),
        refusalBody: () => ['text/plain', ''],
      },
      { options: { cost: 3, window: '5s' } },
    )
    expect(bad).toEqual([])
    expect(of('limit')?.level).toBe('ok')
  })

  test('cannot cost more than the limit', () => {
    const options = { url: 'http://x', limit: 10, window: '1m' } as const
    for (const cost of [0, 1.5, 11]) {
      expect(() => readOptions({ ...options, cost })).toThrow(
        `--cost: expected a whole number from 1 to --limit, 10, got ${cost}`,
      )
    }
  })
})
