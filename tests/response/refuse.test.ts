import { describe, expect, test } from 'vitest'
import type { Decision, PolicyState } from '../../src/index.ts'
import { compileFieldWriters, type HeaderStyle } from '../../src/response/field-writers.ts'
import { refuse as refuseBy } from '../../src/response/refuse.ts'

const burst: PolicyState = {
  name: 'burst',
  limit: 10,
  window: 1000,
  remaining: 0,
  resetIn: 300,
  retryIn: 300,
}
const hourly: PolicyState = {
  name: 'hourly',
  limit: 1000,
  window: 3_600_000,
  remaining: 700,
  resetIn: 1_800_000,
  retryIn: 0,
}

/** A refusal by these policies, of which the first is the tightest. */
const by = (...policies: readonly PolicyState[]): Decision => ({
  allowed: false,
  policies,
  policy: policies[0],
  retryIn: policies[0]?.retryIn ?? 0,
  degraded: false,
  source: 'store',
})

const unknown: Decision = { ...by(), source: 'unknown' }

const refuse = (
  decision: Decision,
  request?: Request,
  styles: HeaderStyle | readonly HeaderStyle[] = 'draft-11',
) => refuseBy(decision, compileFieldWriters(styles), request)

const request = (init?: RequestInit) => new Request('https://example.com/', init)

describe('a refusal', () => {
  test('is 429, byte for byte', async () => {
    const response = refuse(by(burst, hourly), request())
    expect(response.status).toBe(429)
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      ratelimit: '"burst";r=0;t=1, "hourly";r=700;t=1800',
      'ratelimit-policy': '"burst";q=10;w=1, "hourly";q=1000;w=3600',
      'retry-after': '1',
    })
    expect(await response.text()).toBe(
      '{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",' +
        '"title":"Quota Exceeded","status":429,"detail":"Try again in 1 second.",' +
        '"violated-policies":["burst"]}',
    )
  })

  const violated: readonly (readonly [string, readonly PolicyState[], readonly string[]])[] = [
    ['one of several', [burst, hourly], ['burst']],
    [
      'the last',
      [
        { ...burst, retryIn: 0 },
        { ...hourly, retryIn: 5 },
      ],
      ['hourly'],
    ],
    ['all', [{ ...hourly, retryIn: 9 }, burst], ['hourly', 'burst']],
    ['the unnamed one, called default', [{ ...burst, name: '' }], ['default']],
  ]
  for (const [kind, policies, names] of violated) {
    test(`names the policies that refused, and no other: ${kind}`, async () => {
      expect(await refuse(by(...policies)).json()).toMatchObject({ 'violated-policies': names })
    })
  }

  test('needs no request', async () => {
    const response = refuse(by(burst))
    expect(response.status).toBe(429)
    expect(await response.json()).toMatchObject({ title: 'Quota Exceeded', status: 429 })
  })

  test('of a HEAD request has the same fields and no body', async () => {
    const [head, get] = [request({ method: 'HEAD' }), request()].map((it) => refuse(by(burst), it))
    expect(head?.status).toBe(429)
    expect(head?.body).toBeNull()
    expect([...(head?.headers ?? [])]).toEqual([...(get?.headers ?? [])])
  })

  test('is a fresh response each time', async () => {
    const decision = by(burst)
    const [one, other] = [refuse(decision), refuse(decision)]
    one.headers.set('x-changed', '1')
    await one.text()
    expect(other.headers.has('x-changed')).toBe(false)
    expect(other.bodyUsed).toBe(false)
  })
})

describe('Retry-After is in whole seconds, never 0 and never early', () => {
  const times: readonly (readonly [number, string, string])[] = [
    [1, '1', 'Try again in 1 second.'],
    [0.25, '1', 'Try again in 1 second.'],
    [999, '1', 'Try again in 1 second.'],
    [1000, '1', 'Try again in 1 second.'],
    [1001, '2', 'Try again in 2 seconds.'],
    [59_000.5, '60', 'Try again in 60 seconds.'],
    [86_400_000, '86400', 'Try again in 86400 seconds.'],
  ]
  for (const [retryIn, seconds, detail] of times) {
    test(`${retryIn} ms are ${seconds}`, async () => {
      const response = refuse(by({ ...burst, retryIn }))
      expect(response.headers.get('retry-after')).toBe(seconds)
      expect(await response.json()).toMatchObject({ detail })
    })
  }

  test('and is sent where no other fields are wanted', () => {
    const { headers } = refuse(by(burst), request(), [])
    expect([...headers.keys()].sort()).toEqual(['cache-control', 'content-type', 'retry-after'])
  })

  test('never points before the end of a window that is told in RateLimit', () => {
    for (const ms of [1, 999, 1001, 59_999, 3_600_001]) {
      const { headers } = refuse(by({ ...burst, resetIn: ms, retryIn: ms }))
      expect(headers.get('ratelimit')).toBe(`"burst";r=0;t=${headers.get('retry-after')}`)
    }
  })
})

describe('a client that a policy refuses as unknown', () => {
  test('gets 403, byte for byte, and no time to come back', async () => {
    const response = refuse(unknown, request())
    expect(response.status).toBe(403)
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    })
    expect(await response.text()).toBe(
      '{"title":"Forbidden","status":403,"detail":"The client could not be identified."}',
    )
  })

  test('gets no body for HEAD', () => {
    const response = refuse(unknown, request({ method: 'HEAD' }))
    expect([response.status, response.body]).toEqual([403, null])
  })
})

describe('scripts of another origin may read the fields of a refusal', () => {
  const exposed = (styles: HeaderStyle | readonly HeaderStyle[], init?: RequestInit) =>
    refuse(by(burst), request(init), styles).headers.get('access-control-expose-headers')
  const cors = { headers: { Origin: 'https://example.org' } }

  test('Retry-After too', () => {
    expect(exposed('draft-11', cors)).toBe('RateLimit, RateLimit-Policy, Retry-After')
    expect(exposed([], cors)).toBe('Retry-After')
    expect(exposed('x-ratelimit', cors)).toBe(
      'X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After',
    )
  })

  test('which no request of the same origin is told', () => {
    expect(exposed('draft-11')).toBeNull()
  })

  test('without leave: which origins may read, the limiter does not say', () => {
    const { headers } = refuse(by(burst), request(cors))
    expect(headers.has('access-control-allow-origin')).toBe(false)
  })
})

test('the fields of every style are sent', () => {
  const { headers } = refuse(by(burst, hourly), request(), ['x-ratelimit', 'draft-11'])
  expect(headers.get('x-ratelimit-remaining')).toBe('0')
  expect(headers.get('x-ratelimit-limit')).toBe('10')
  expect(headers.get('ratelimit')).toBe('"burst";r=0;t=1, "hourly";r=700;t=1800')
})

test('nothing of the request is echoed', async () => {
  const secret = 'sk-live-1234'
  const asked = new Request(`https://example.com/${secret}?q=${secret}`, {
    headers: { authorization: secret, origin: `https://${secret}.example` },
  })
  const response = refuse(by(burst), asked)
  expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain(secret)
})
