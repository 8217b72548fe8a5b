import { describe, expect, test } from 'vitest'
import { readOptions } from '../../src/drill/options.ts'
import { typicalRequests } from '../../src/drill/plan.ts'
import { draft11, LIMIT } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

describe('the drill', () => {
  test('never sends more requests than --max-requests', async () => {
    const most = typicalRequests(LIMIT)
    // The worst case: every variant evades the limit, and takes five requests.
    const { bad, of, received, requests } = await drilled(
      { keyPart: ({ url, method, headers }) => `${url} ${method} ${JSON.stringify(headers)}` },
      { options: { maxRequests: most } },
    )
    expect(requests).toBe(most)
    expect(received).toHaveLength(most)
    expect(bad).toContain('forged-address: failure')
    expect(of('forged-address')?.says).toMatch(/Not tried, because the drill ended before: /)
    expect(of('coverage')).toMatchObject({
      level: 'not examined',
      says: `The drill ended before these checks: spelling, method, ipv6-neighbour, retry-after, next-window (the drill has sent ${most} requests, the most it may send).`,
      remedy: 'Raise --max-requests, and run the drill again.',
    })
  })

  test('has examined nothing if the burst spends all requests', async () => {
    const limit = 20
    let request = 0
    let advance = (_: number) => {}
    const { ok, level, burst, bad, of, notExamined, requests } = await drilled(
      {
        answerFirst() {
          advance(8000)
          return false
        },
        // After 49 slow requests, a new window seems to begin.
        fields: () =>
          draft11(
            { isRefused: false, remaining: ++request < 50 ? 5 : limit - 1, seconds: 60 },
            limit,
          ),
        limit,
        isLimited: () => true,
        admits: 100,
      },
      {
        options: { limit, maxRequests: typicalRequests(limit) },
        before: ({ clock }) => (advance = clock.advance),
      },
    )
    expect(requests).toBe(typicalRequests(limit))
    expect(burst).toBeUndefined()
    expect({ ok, level, bad }).toEqual({
      ok: false,
      level: 'not examined',
      bad: ['coverage: not examined'],
    })
    expect(notExamined).toHaveLength(12)
    expect(of('coverage')?.says).toMatch(
      /^The drill ended before these checks: reachability, limit, /,
    )
  })

  test('starts requests no faster than --pace', async () => {
    const times: number[] = []
    let clock = () => 0
    await drilled(
      {
        answerFirst() {
          times.push(clock())
          return false
        },
      },
      { options: { pace: '250ms' }, before: (deployment) => (clock = deployment.clock) },
    )
    for (const [index, time] of times.slice(1).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(250)
    }
  })

  test('starts no more requests a second than --max-rate', async () => {
    for (const [maxRate, rate] of [
      [undefined, 100],
      [20, 20],
    ] as const) {
      const times: number[] = []
      let clock = () => 0
      await drilled(
        {
          window: 1000,
          answerFirst() {
            times.push(clock())
            return false
          },
        },
        {
          options: { window: '1s', limit: rate === 100 ? 90 : 10, maxRate, maxRequests: 2000 },
          before: (deployment) => (clock = deployment.clock),
        },
      )
      for (const [index, time] of times.slice(rate).entries()) {
        expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000)
      }
    }
  })

  test('is faster if the window would end otherwise', () => {
    const options = { url: 'http://x', limit: 10, window: '1s' } as const
    expect(readOptions(options).pace).toBe(33)
    expect(readOptions({ ...options, window: '1m' }).pace).toBe(100)
    expect(readOptions({ ...options, window: '1m', maxRate: 4 }).pace).toBe(250)
    expect(readOptions({ ...options, limit: 90, maxRequests: 900 }).pace).toBe(10)
  })

  test('sends the fields of --header, and shows none of their values', async () => {
    const [token, cookie, key] = ['secret-token-1', 'cookie-value-2', 'query-key-3']
    const headers = [`authorization: Bearer ${token}`, `cookie: id=${cookie}; b=2`, 'x-a: b']
    const plan = { fields: draft11 }
    const echo = `"${token}";q=10;w=60`
    for (const fields of [
      undefined,
      { ...plan, fields: () => ({ 'RateLimit-Policy': echo }) },
      { answerFirst: redirectTo(`http://x/${token}/${cookie}/${key}`) },
      { refusalBody: () => [`text/${token}`, `${cookie}`] as const },
    ]) {
      const { text, received } = await drilled(fields, {
        options: { headers },
        query: `?key=${key}`,
      })
      for (const { headers } of received) {
        expect(headers.authorization).toBe(`Bearer ${token}`)
        expect(headers.cookie).toBe(`id=${cookie}; b=2`)
        expect(headers['x-a']).toBe('b')
      }
      for (const secret of [token, cookie, key]) expect(text).not.toContain(secret)
    }
  })

  test('shows nothing of a response that a terminal would obey', async () => {
    const { text } = await drilled({ refusalBody: () => ['text/\u009b31m', ''] })
    expect(text).toContain('text/?31m')
  })
})

const redirectTo =
  (location: string) =>
  (_: unknown, response: import('node:http').ServerResponse): boolean => {
    response.writeHead(307, { location }).end()
    return true
  }

describe('options', () => {
  const good = { url: 'https://example.com/api', limit: 10, window: '1m' } as const
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ url: undefined }, /^URL: expected the URL of .*, got nothing$/],
    [{ url: 'example.com' }, /^URL: expected .*, got a string of 11 characters$/],
    [{ url: 'ftp://hush.example' }, /^URL: expected .*, got a URL$/],
    [{ url: 'https://a:hush@x.io' }, /^URL: expected no user and password/],
    [{ limit: undefined }, /^--limit: expected .*, got nothing$/],
    [{ limit: 0 }, /^--limit: expected a whole number from 1 to 5000, got 0$/],
    [{ window: '5 minits' }, /^--window: expected a duration/],
    [{ method: 'post' }, /^--method: expected a method in capital letters/],
    [{ method: 'TRACE' }, /^--method: expected/],
    [{ headers: ['hush'] }, /^--header: expected "name: value", got a string of 4 characters$/],
    [{ headers: ['User-Agent: Mozilla'] }, /^--header: .* got user-agent$/],
    [{ headers: ['a: b\r\nhush: x'] }, /^--header: expected a value in one line/],
    [
      { limit: 100, maxRequests: 100 },
      /^--max-requests: expected at least 244 for this limit, got 100$/,
    ],
    [
      { limit: 5000, window: '1s' },
      /^--window: expected at least 50050ms for 5005 requests at --max-rate 100, got 1000 ms \(drill a policy with a lower limit or a longer window\)$/,
    ],
    [
      { limit: 100, window: '1s' },
      /^--window: expected at least 1050ms .*, got 1000 ms \(raise --max-rate to 105\)$/,
    ],
    [{ pace: '1ms' }, /^--pace: expected at least 10ms \(--max-rate is 100\), got 1 ms$/],
    [{ maxRate: 2000 }, /^--max-rate: expected a whole number from 1 to 1000, got 2000$/],
    [{ maxWait: '30d' }, /^--max-wait: expected at most 24 days/],
  ]
  for (const [wrong, message] of cases) {
    test(`throw an error that names the flag: ${message}`, () => {
      expect(() => readOptions({ ...good, ...wrong })).toThrow(message)
      expect(() => readOptions({ ...good, ...wrong })).not.toThrow('hush')
    })
  }
})
