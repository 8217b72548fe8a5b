import { describe, expect, test } from 'vitest'
import { draft11, LIMIT, type Plan } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

const xOf = (limit: number, remaining: number, seconds: number) => ({
  'X-RateLimit-Limit': `${limit}`,
  'X-RateLimit-Remaining': `${remaining}`,
  'X-RateLimit-Reset': `${seconds}`,
})

describe('header fields of a limiter that gives units back bit by bit', () => {
  /** A bucket whose next unit comes after 6 s. */
  const bucket = (fields: Plan['fields']) => {
    let tokens = LIMIT
    let since = 0
    const plan: Plan = {
      waitFor(now) {
        tokens = Math.min(LIMIT, tokens + (since && (now - since) / 6000))
        since = now
        if (tokens < 1) return Math.ceil((1 - tokens) * 6000)
        tokens--
        return 0
      },
      ...(fields && {
        fields: (decided) => fields({ ...decided, remaining: Math.floor(tokens) }),
      }),
      refusalBody: () => ['text/plain', ''],
    }
    return drilled(plan)
  }
  const whenFull = (remaining: number) => (LIMIT - remaining) * 6

  test('may have the time until all units are back as X-RateLimit-Reset', async () => {
    const { bad, of } = await bucket(({ remaining }) => xOf(LIMIT, remaining, whenFull(remaining)))
    expect(bad).toEqual(['ratelimit: warning'])
    expect(of('agreement')).toMatchObject({
      level: 'info',
      says: expect.stringMatching(
        /^X-RateLimit-Reset is 60 s from now, and Retry-After is [56]. Both are right if/,
      ),
    })
  })

  test('may have it beside the time until the next unit as t', async () => {
    const { bad, of } = await bucket(({ remaining }) => ({
      ...draft11({ isRefused: false, remaining, seconds: 6 }),
      ...xOf(LIMIT, remaining, whenFull(remaining)),
    }))
    expect(bad).toEqual([])
    expect(of('agreement')?.says).toContain('and RateLimit shows t=6. Both are right if')
  })

  test('are warned of if t is the time until all units are back', async () => {
    const { bad, of } = await bucket(({ remaining }) =>
      draft11({ isRefused: false, remaining, seconds: whenFull(remaining) }),
    )
    expect(bad).toEqual(['agreement: warning'])
    expect(of('agreement')?.says).toMatch(/^Retry-After is [56], and RateLimit shows t=60\.$/)
  })
})
