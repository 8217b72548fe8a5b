import { describe, expect, test } from 'vitest'
import type { Plan } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

const evaded = ({ variants }: Awaited<ReturnType<typeof drilled>>) =>
  variants.filter(({ outcome }) => outcome === 'evaded')

/** A limit that could not be counted is not a pass, and the limiter is not accused of anything. */
function expectNoAccusation({ ok, bad }: Awaited<ReturnType<typeof drilled>>) {
  expect(ok).toBe(false)
  expect(bad).toContain('limit: not examined')
  expect(bad.filter((one) => !one.endsWith(': not examined'))).toEqual([])
}

describe('a right limiter whose windows are too short for the network is not examined, and not accused', () => {
  const LIMIT = 5
  const fieldsOf = (remaining: number, seconds: number, window: number) => ({
    'RateLimit-Policy': `"short";q=${LIMIT};w=${window / 1000}`,
    RateLimit: `"short";r=${remaining};t=${seconds}`,
    'X-RateLimit-Limit': `${LIMIT}`,
    'X-RateLimit-Remaining': `${remaining}`,
    'X-RateLimit-Reset': `${seconds}`,
  })

  /** Drills a deployment where each request takes `latency` ms. */
  const drilledOver = (latency: number, window: number, plan: Plan) => {
    let advance = (_: number) => {}
    return drilled(
      {
        ...plan,
        limit: LIMIT,
        window,
        refusalBody: () => ['text/plain', ''],
        answerFirst() {
          advance(latency)
          return false
        },
      },
      { options: { limit: LIMIT, window }, before: ({ clock }) => (advance = clock.advance) },
    )
  }

  const cases = [
    [1000, 60],
    [1000, 120],
    [1000, 130],
    [1000, 140],
    [1000, 180],
    [2000, 110],
    [2000, 280],
  ] as const
  for (const [window, latency] of cases) {
    test(`a token bucket of ${LIMIT} per ${window} ms, over a network of ${latency} ms`, async () => {
      let tokens = LIMIT
      let since = 0
      const report = await drilledOver(latency, window, {
        waitFor(now) {
          tokens = Math.min(LIMIT, tokens + (since && ((now - since) * LIMIT) / window))
          since = now
          if (tokens < 1) return Math.ceil(((1 - tokens) * window) / LIMIT)
          tokens--
          return 0
        },
        fields: () => fieldsOf(Math.floor(tokens), 1, window),
      })
      expectNoAccusation(report)
      expect(evaded(report)).toEqual([])
      expect(report.of('ratelimit')).toMatchObject({
        level: 'info',
        says: expect.stringContaining('too short to see RateLimit count down'),
      })
      expect(report.of('x-ratelimit')?.level).toBe('info')
    })
  }

  for (const [window, latency] of cases.filter(([, latency]) => latency >= 130)) {
    test(`a fixed window of ${LIMIT} per ${window} ms, over a network of ${latency} ms`, async () => {
      const report = await drilledOver(latency, window, {
        fields: ({ remaining, seconds }) => fieldsOf(remaining, seconds, window),
      })
      expectNoAccusation(report)
      expect(evaded(report)).toEqual([])
    })
  }
})

describe('a variant that passes has not evaded the limit', () => {
  /** Requests pass by their numbers, from 1. The first ten of the burst pass. */
  const scripted = (passing: readonly number[]) => {
    let request = 0
    return drilled({
      waitFor: () => (++request <= 10 || passing.includes(request) ? 0 : 60_000),
      fields: () => ({}),
      refusalBody: () => ['text/plain', ''],
    })
  }

  test('if plain requests pass after it', async () => {
    const report = await scripted([16, 18, 19, 20])
    expect(evaded(report)).toEqual([])
  })

  test('if the last request of the burst passed', async () => {
    const report = await scripted([15, 16, 18, 19])
    expect(evaded(report)).toEqual([])
  })

  test('unless plain requests are refused before it and after it', async () => {
    const report = await scripted([16, 18, 19])
    expect(evaded(report).map(({ variant }) => variant)).toEqual(['X-Forwarded-For'])
  })
})
