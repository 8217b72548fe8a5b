/** What an adapter adds to the functions of the options, and hands on to handlers. */
import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type RateLimitVariables, rateLimit } from '../../src/adapters/hono.ts'
import * as next from '../../src/adapters/next.ts'
import * as vercel from '../../src/adapters/vercel.ts'
import { type Client, type Decision, memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const client: Client = () => ({ plain: 'a' })
const counting = () => memory({ clock: manualClock() })
const quota = (limit: number) => ({ limit, window: '1m' as const, store: counting() })

describe('a Hono app', () => {
  test('finds the decision in its context', async () => {
    const app = new Hono<{ Variables: RateLimitVariables }>()
    app.use(rateLimit({ ...quota(3), client }))
    app.get('/', (c) => c.json({ left: c.get('rateLimit').policy?.remaining }))
    expect(await (await app.request('/')).json()).toEqual({ left: 2 })
    expect(await (await app.request('/')).json()).toEqual({ left: 1 })
  })

  test('knows the type of the decision by the middleware alone', async () => {
    const app = new Hono()
      .use(rateLimit({ ...quota(3), client }))
      .get('/', (c) => c.json({ left: c.var.rateLimit.policy?.remaining }))
    expect(await (await app.request('/')).json()).toEqual({ left: 2 })
  })

  test('finds the decision that counted, also after a limiter that counted nothing', async () => {
    const limited = rateLimit({ ...quota(3), client })
    const other = rateLimit({ ...quota(3), name: 'other', client, match: '/elsewhere' })
    const sub = new Hono<{ Variables: RateLimitVariables }>()
      .use(limited)
      .get('/', (c) => c.json({ left: c.get('rateLimit').policy?.remaining }))
    const app = new Hono().use(limited).use(other).route('/api', sub)
    expect(await (await app.request('/api')).json()).toEqual({ left: 2 })
  })

  test('keeps what earlier middleware has set beside a refusal of its own', async () => {
    const app = new Hono()
    app.use(async (c, go) => {
      c.header('Set-Cookie', 'session=1')
      c.header('Vary', 'Origin')
      c.header('CDN-Cache-Control', 'max-age=600')
      await go()
    })
    app.use(
      rateLimit({
        limit: 1,
        window: '1m',
        client,
        store: counting(),
        refusal: () =>
          new Response('slow down', {
            status: 429,
            headers: { 'Set-Cookie': 'seen=1', Vary: 'Accept' },
          }),
      }),
    )
    app.get('/', (c) => c.text('ok'))
    await app.request('/')
    const { status, headers } = await app.request('/')
    expect(status).toBe(429)
    expect(headers.getSetCookie().toSorted()).toEqual(['seen=1', 'session=1'])
    expect(headers.get('vary')).toBe('Accept, Origin')
    expect(headers.get('cdn-cache-control')).toBeNull()
    expect(headers.get('ratelimit-policy')).toBe('"default";q=1;w=60')
  })

  test('counts by what an earlier middleware has set', async () => {
    interface Variables {
      user: string
    }
    const app = new Hono<{ Variables: Variables }>()
    app.use(async (c, go) => {
      c.set('user', c.req.query('user') ?? '')
      await go()
    })
    app.use(
      rateLimit({
        limit: 1,
        window: '1m',
        store: counting(),
        client: (_, { c }: { c: Context<{ Variables: Variables }> }) => c.get('user'),
        match: (_, { c }) => c.req.query('free') === undefined,
        refusal: (_, __, { c }) => c.json({ slowDown: c.get('user') }, 429),
      }),
    )
    app.get('/', (c) => c.text('ok'))
    expect((await app.request('/?user=ada')).status).toBe(200)
    expect((await app.request('/?user=bob')).status).toBe(200)
    expect((await app.request('/?user=ada&free')).status).toBe(200)
    const refused = await app.request('/?user=ada')
    expect([refused.status, await refused.json()]).toEqual([429, { slowDown: 'ada' }])
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('cache-control')).toBe('no-store')
  })
})

/** As `NextRequest` is to a team: a `Request` with cookies. */
class RequestWithCookies extends Request {
  readonly cookies = new Map([['session', this.headers.get('cookie') ?? '']])
}

for (const [entry, { rateLimit: limited }] of Object.entries({ next, vercel })) {
  describe(`tidegate/${entry}`, () => {
    const event = () => ({ waitUntil() {} })
    const from = (cookie: string) =>
      new RequestWithCookies('https://example.com/', { headers: { cookie } })

    test('passes the decision to the middleware behind it', async () => {
      const seen: Decision[] = []
      const middleware = limited({ ...quota(2), client }, (_, __, decision) => {
        seen.push(decision)
      })
      await middleware(new Request('https://example.com/'), event())
      expect(seen).toMatchObject([{ allowed: true, policy: { remaining: 1 } }])
    })

    test('passes the framework’s own request to functions of the options', async () => {
      const middleware = limited({
        ...quota(1),
        client: (request: RequestWithCookies) => request.cookies.get('session'),
        refusal: (_, { cookies }) => new Response(cookies.get('session'), { status: 429 }),
      })
      expect((await middleware(from('ada'), event())).status).toBe(200)
      expect((await middleware(from('bob'), event())).status).toBe(200)
      const refused = await middleware(from('ada'), event())
      expect([refused.status, await refused.text()]).toEqual([429, 'ada'])
    })
  })
}

test('tidegate/next: a skipped prefetch reaches the middleware with a decision that counts nothing', async () => {
  const seen: Decision[] = []
  const options = { ...quota(1), client, skipPrefetches: true }
  const middleware = next.rateLimit(options, (_, __, decision) => {
    seen.push(decision)
  })
  const prefetch = { headers: { 'sec-purpose': 'prefetch' } }
  await middleware(new Request('https://example.com/', prefetch), {})
  expect(seen).toMatchObject([{ allowed: true, policies: [], source: 'none' }])
})
