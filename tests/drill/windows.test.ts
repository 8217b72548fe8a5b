import { describe, expect, test } from 'vitest'
import { LIMIT, type Plan, WINDOW_MS } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

const post = async (url: string, times: number) => {
  for (let request = 0; request < times; request++) await fetch(url, { method: 'POST' })
}

describe('a window that began before the drill', () => {
  test('is awaited, and announced', async () => {
    const { bad, waits, burst } = await drilled(
      {},
      {
        async before({ url, clock }) {
          await post(url, 4)
          clock.advance(20_000)
        },
      },
    )
    expect(bad).toEqual([])
    expect(burst).toEqual({ sent: 15, passed: 10 })
    expect(waits[0]).toBe('this client used the quota before. Waits 40 s for a fresh window')
    expect(waits).toHaveLength(2)
  })

  test('is awaited after its limit is used up, by Retry-After alone', async () => {
    const { bad, burst } = await drilled(
      { fields: () => ({}) },
      { before: ({ url }) => post(url, LIMIT) },
    )
    expect(burst).toEqual({ sent: 15, passed: 10 })
    expect(bad).toEqual(['ratelimit: warning'])
  })

  test('is not awaited for longer than --max-wait', async () => {
    const { bad, of, burst, took } = await drilled(
      {},
      { before: ({ url }) => post(url, 4), options: { maxWait: '10s' } },
    )
    expect(burst).toEqual({ sent: 15, passed: 6 })
    expect(bad).toEqual([
      'limit: not examined',
      'retry-after: not examined',
      'next-window: not examined',
    ])
    expect(of('limit')?.says).toContain('This client had used its quota before')
    expect(took).toBeLessThan(10_000)
  })
})

test('a window that ends during the burst does not look like a higher limit', async () => {
  let requests = 0
  let advance = (_: number) => {}
  const { bad, burst, of } = await drilled(
    {
      answerFirst() {
        // The burst finds the window of an earlier request, with no unit of it used.
        if (++requests === 5) advance(WINDOW_MS)
        return false
      },
    },
    { before: ({ clock }) => (advance = clock.advance) },
  )
  expect(bad).toEqual([])
  expect(burst).toEqual({ sent: 15, passed: 10 })
  expect(of('limit')?.says).toBe('10 of 15 requests passed (10 × 200, 5 × 429).')
})

test('windows that are shorter than the drill are used up again', async () => {
  const { bad, of } = await drilled(
    { window: 2000, fields: () => ({}) },
    { options: { window: '2s' } },
  )
  expect(bad).toEqual(['ratelimit: warning'])
  expect(of('spelling')?.level).toBe('ok')
})

test('a limit of 1 whose window ends in between does not look evaded', async () => {
  let advance = (_: number) => {}
  const { bad, variants } = await drilled(
    {
      limit: 1,
      window: 3000,
      fields: () => ({}),
      answerFirst() {
        advance(300)
        return false
      },
    },
    {
      options: { limit: 1, window: '3s', pace: '10ms', maxWait: '1ms' },
      before: ({ clock }) => (advance = clock.advance),
    },
  )
  expect(bad.filter((one) => !one.endsWith('not examined'))).toEqual(['ratelimit: warning'])
  expect(variants.filter(({ outcome }) => outcome === 'evaded')).toEqual([])
})

test('windows that end before they are used up are warned of, and not used up for ever', async () => {
  let advance = (_: number) => {}
  const { bad, of, requests } = await drilled(
    {
      limit: 3,
      window: 6000,
      fields: () => ({}),
      answerFirst() {
        advance(1400)
        return false
      },
    },
    {
      options: { limit: 3, window: '6s', maxWait: '1ms' },
      before: ({ clock }) => (advance = clock.advance),
    },
  )
  expect(bad.slice(0, 2)).toEqual(['limit: not examined', 'ratelimit: warning'])
  expect(of('method')).toMatchObject({
    level: 'not examined',
    says: expect.stringMatching(
      /Not clear, because the window is too short to keep the limit used up: HEAD/,
    ),
  })
  expect(requests).toBeLessThan(40)
})

describe('a limiter that gives units back bit by bit passes', () => {
  /** Each request takes `latency` ms. */
  const bucket = (window: number, latency = 0) => {
    let tokens = LIMIT
    let since = 0
    let advance = (_: number) => {}
    const perToken = window / LIMIT
    const plan: Plan = {
      waitFor(now) {
        advance(latency)
        tokens = Math.min(LIMIT, tokens + (since && (now - since) / perToken))
        since = now
        if (tokens < 1) return Math.ceil((1 - tokens) * perToken)
        tokens--
        return 0
      },
      fields: ({ seconds }) => ({
        'RateLimit-Policy': `"bucket";q=${LIMIT};w=${window / 1000}`,
        RateLimit: `"bucket";r=${Math.floor(tokens)}${seconds > 0 ? `;t=${seconds}` : ''}`,
      }),
      refusalBody: () => ['text/plain', ''],
    }
    return drilled(plan, {
      options: { window },
      before: ({ clock }) => (advance = clock.advance),
    })
  }

  for (const [window, latency] of [
    [WINDOW_MS, 0],
    [5000, 0],
    [10_000, 450],
  ] as const) {
    test(`a token bucket of ${LIMIT} per ${window} ms, over a network of ${latency} ms`, async () => {
      const { bad, variants, of } = await bucket(window, latency)
      expect(bad).toEqual([])
      expect(variants.filter(({ outcome }) => outcome === 'evaded')).toEqual([])
      if (window < WINDOW_MS) expect(of('limit')?.says).toContain('gives units back bit by bit')
    })
  }

  test('a sliding log', async () => {
    const log: number[] = []
    const { bad } = await drilled({
      waitFor(now) {
        while ((log[0] ?? now) <= now - WINDOW_MS) log.shift()
        if (log.length >= LIMIT) return (log[0] ?? 0) + WINDOW_MS - now
        log.push(now)
        return 0
      },
      fields: () => ({}),
    })
    expect(bad).toEqual(['ratelimit: warning'])
  })
})
