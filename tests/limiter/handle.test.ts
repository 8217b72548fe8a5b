import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, type Decision, memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const request = (path = '/', headers: HeadersInit = {}) =>
  new Request(`https://example.com${path}`, { headers })

const limiterOf = (limit: number, more: object = {}) =>
  createLimiter({
    limit,
    window: '1m',
    client: () => ({ plain: 'a' }),
    store: memory({ clock: manualClock() }),
    ...more,
  })

describe('handle', () => {
  test('passes the decision to the handler, and adds the fields to its response', async () => {
    const limiter = limiterOf(2)
    let seen: Decision | undefined
    const response = await limiter.handle(request(), async (decision) => {
      seen = decision
      return new Response('hello', { status: 201 })
    })
    expect([response.status, await response.text()]).toEqual([201, 'hello'])
    expect(response.headers.get('ratelimit')).toBe('"default";r=1;t=60')
    expect(seen).toMatchObject({ allowed: true, policy: { limit: 2, remaining: 1 } })
  })

  test('refuses over the limit without a call of the handler', async () => {
    const limiter = limiterOf(1)
    let calls = 0
    const handle = () => limiter.handle(request(), () => new Response(`${++calls}`))
    await handle()
    const refused = await handle()
    expect([refused.status, refused.headers.get('retry-after'), calls]).toEqual([429, '60', 1])
  })

  test('throws what the handler throws; the request stays charged', async () => {
    const limiter = limiterOf(2)
    const failing = limiter.handle(request(), () => {
      throw new Error('of the handler')
    })
    await expect(failing).rejects.toThrow('of the handler')
    expect(await limiter.check(request())).toMatchObject({ policy: { remaining: 0 } })
  })

  const wrong: Readonly<Record<string, [next: unknown, message: RegExp, left: number]>> = {
    'is missing': [undefined, /^handle: .*handle\(request, \(decision\) => response\)/, 1],
    'is a response': [new Response(), /^handle: .*handle\(request, \(decision\) => response\)/, 1],
    'returns nothing': [() => undefined, /^handle: .*a Response/, 0],
  }
  for (const [how, [next, message, left]] of Object.entries(wrong)) {
    test(`throws a ConfigError if the handler ${how}`, async () => {
      const limiter = limiterOf(2)
      const call = limiter.handle(request(), next as () => Response)
      const error = await call.catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ConfigError)
      expect(error).toHaveProperty('message', expect.stringMatching(message))
      expect(await limiter.check(request())).toMatchObject({ policy: { remaining: left } })
    })
  }
})

describe('the option refusal', () => {
  const refusal = ({ retryIn }: Decision, { url }: Request) =>
    Response.json({ wait: retryIn, url }, { status: 420, headers: { 'cache-control': 'public' } })

  test('replaces the 429, and gets the fields of a refusal', async () => {
    const limiter = limiterOf(1, { refusal })
    await limiter.check(request())
    const refused = await limiter.handle(request('/a'), () => new Response())
    expect(refused.status).toBe(420)
    expect(await refused.json()).toEqual({ wait: 60_000, url: 'https://example.com/a' })
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '60',
      ratelimit: '"default";r=0;t=60',
      'cache-control': 'no-store',
    })
  })

  test('may return one response again and again: each refusal is a copy', async () => {
    const shared = new Response(null, {
      status: 429,
      headers: { 'cdn-cache-control': 'max-age=9' },
    })
    const limiter = limiterOf(1, { refusal: () => shared })
    await limiter.check(request())
    for (let n = 0; n < 3; n++) {
      const { headers } = await limiter.handle(request(), () => new Response())
      expect(headers.get('ratelimit')).toBe('"default";r=0;t=60')
      expect(headers.get('cdn-cache-control')).toBeNull()
    }
    expect([...shared.headers]).toEqual([['cdn-cache-control', 'max-age=9']])
  })

  test('must not return a body that was sent before, or a network error: a ConfigError', async () => {
    const sent = new Response('slow down', { status: 429 })
    await sent.text()
    for (const response of [sent, Response.error()]) {
      const limiter = limiterOf(1, { refusal: () => response })
      await limiter.check(request())
      const call = limiter.handle(request(), () => new Response())
      await expect(call).rejects.toThrow(/^refusal: expected a new Response for each request/)
    }
  })

  test('gets the context that refuse() gets', async () => {
    const limiter = createLimiter({
      limit: 1,
      window: '1m',
      store: memory(),
      refusal: (_, __, { ip }) => new Response(ip, { status: 429 }),
    })
    const context = { ip: '203.0.113.1' }
    await limiter.check(request(), context)
    const refused = limiter.refuse(await limiter.check(request(), context), request(), context)
    expect(await refused.text()).toBe('203.0.113.1')
  })

  test('replaces it in refuse(), which then needs the request', async () => {
    const limiter = limiterOf(1, { refusal })
    await limiter.check(request())
    const decision = await limiter.check(request())
    expect(limiter.refuse(decision, request()).status).toBe(420)
    expect(() => limiter.refuse(decision)).toThrow(/^refuse: .*a Request/)
  })

  test('may return a response whose fields are immutable', async () => {
    const limiter = limiterOf(1, {
      refusal: () => Response.redirect('https://example.com/slow-down', 303),
    })
    await limiter.check(request())
    const refused = await limiter.handle(request(), () => new Response())
    expect(refused.status).toBe(303)
    expect(refused.headers.get('location')).toBe('https://example.com/slow-down')
    expect(refused.headers.get('retry-after')).toBe('60')
  })

  test('lets scripts of another origin read the fields', async () => {
    const limiter = limiterOf(1, { refusal })
    await limiter.check(request())
    const { headers } = await limiter.handle(
      request('/', { origin: 'https://app.example' }),
      () => new Response(),
    )
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After')
  })

  test('replaces the 403 of an unknown client, without Retry-After', async () => {
    const limiter = limiterOf(1, {
      client: () => null,
      unknown: 'refuse',
      refusal: ({ source }: Decision) => new Response(source, { status: 401 }),
    })
    const refused = await limiter.handle(request(), () => new Response())
    expect([refused.status, await refused.text()]).toEqual([401, 'unknown'])
    expect(refused.headers.get('retry-after')).toBeNull()
  })

  test('lets no request pass if it returns a promise: a ConfigError', async () => {
    const limiter = limiterOf(1, { refusal: async () => new Response() })
    await limiter.check(request())
    const call = limiter.handle(request(), () => new Response())
    await expect(call).rejects.toThrow(/^refusal: .*a Response/)
  })

  test('must be a function', () => {
    expect(() => limiterOf(1, { refusal: new Response() })).toThrow(/^refusal: .*a function/)
  })
})

describe('headers', () => {
  test('returns the fields that mark() writes', async () => {
    const limiter = limiterOf(2, { headers: ['draft-11', 'x-ratelimit'] })
    const decision = await limiter.check(request())
    const marked = limiter.mark(new Response(null), decision)
    expect(limiter.headers(decision)).toEqual(Object.fromEntries(marked.headers))
    expect(limiter.headers(decision)).toMatchObject({
      ratelimit: '"default";r=1;t=60',
      'x-ratelimit-remaining': '1',
      'cache-control': 'private',
    })
  })

  test('returns the fields of a refusal', async () => {
    const limiter = limiterOf(1)
    await limiter.check(request())
    expect(limiter.headers(await limiter.check(request()))).toEqual({
      'cache-control': 'no-store',
      'retry-after': '60',
      'ratelimit-policy': '"default";q=1;w=60',
      ratelimit: '"default";r=0;t=60',
    })
  })

  test('returns nothing for a request that no policy counts', async () => {
    const limiter = limiterOf(1, { match: '/api' })
    expect(limiter.headers(await limiter.check(request('/')))).toEqual({})
  })
})
