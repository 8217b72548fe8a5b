import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, inject, test } from 'vitest'
import { rateLimit } from '../../src/adapters/hono.ts'
import {
  type Client,
  header,
  memory,
  type PolicyOptions,
  type Store,
  storeFromEnv,
} from '../../src/index.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { manualClock } from '../../src/testing/index.ts'

interface Env {
  readonly UPSTASH_REDIS_REST_URL: string
  readonly UPSTASH_REDIS_REST_TOKEN: string
}

const client: Client = () => ({ plain: 'a' })

/** A limiter that allows this many requests a minute, in a store of its own. */
const allow = (limit: number, more: Partial<PolicyOptions> = {}) =>
  rateLimit({ limit, window: '1m', client, store: memory({ clock: manualClock() }), ...more })

const named = (name: string, limit: number) => allow(limit, { name })

/** An app of any type. */
interface App {
  request(path: string): Response | Promise<Response>
}

/** What a response says of its policies. */
const stateOf = ({ headers }: Response) => headers.get('ratelimit')

const exposedBy = ({ headers }: Response) =>
  (headers.get('access-control-expose-headers') ?? '').split(/, ?/).sort()

describe('a Hono app', () => {
  test('answers until the limit is used up, then 429 without running the handler', async () => {
    let handled = 0
    const app = new Hono().use(allow(2)).get('/', (c) => c.text(`hello ${++handled}`))

    const first = await app.request('/')
    expect([first.status, await first.text()]).toEqual([200, 'hello 1'])
    expect(stateOf(first)).toBe('"default";r=1;t=60')
    expect(first.headers.get('ratelimit-policy')).toBe('"default";q=2;w=60')
    expect(stateOf(await app.request('/'))).toBe('"default";r=0;t=60')

    const refused = await app.request('/')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(stateOf(refused)).toBe('"default";r=0;t=60')
    expect(await refused.json()).toMatchObject({ title: 'Quota Exceeded' })
    expect(handled).toBe(2)
  })

  test('limits the paths that the middleware is used on', async () => {
    const app = new Hono().use('/api/*', allow(1)).all('*', (c) => c.text('ok'))
    expect(stateOf(await app.request('/about'))).toBeNull()
    expect((await app.request('/api/x')).status).toBe(200)
    expect((await app.request('/api/y', { method: 'POST' })).status).toBe(429)
    expect((await app.request('/about')).status).toBe(200)
  })

  test('limits a sub-app where it is mounted', async () => {
    const api = new Hono().use(allow(1)).get('/users', (c) => c.text('users'))
    const app = new Hono().get('/', (c) => c.text('home')).route('/api', api)
    expect(stateOf(await app.request('/'))).toBeNull()
    expect(stateOf(await app.request('/api/users'))).toBe('"default";r=0;t=60')
    expect((await app.request('/api/users')).status).toBe(429)
  })

  test('limits one route', async () => {
    const app = new Hono().post('/login', allow(1), (c) => c.text('in'))
    expect((await app.request('/login', { method: 'POST' })).status).toBe(200)
    expect((await app.request('/login', { method: 'POST' })).status).toBe(429)
  })

  test('answers HEAD with the fields and no body', async () => {
    const app = new Hono().use(allow(1)).get('/', (c) => c.text('hello'))
    for (const status of [200, 429]) {
      const response = await app.request('/', { method: 'HEAD' })
      expect([response.status, await response.text()]).toEqual([status, ''])
      expect(stateOf(response)).toBe('"default";r=0;t=60')
    }
  })
})

describe('whatever answers carries the fields', () => {
  const STATE = '"default";r=8;t=60'

  /** An app with one limiter at its door; the first unit is gone, the second is asked for. */
  async function second(build: (app: Hono) => unknown, path = '/') {
    const app = new Hono()
    app.use(allow(10))
    build(app)
    await app.request(path)
    return app.request(path)
  }

  test('a response made by hand', async () => {
    const response = await second((app) =>
      app.get('/', () => new Response('raw', { status: 201, headers: { 'x-a': '1' } })),
    )
    expect([response.status, await response.text()]).toEqual([201, 'raw'])
    expect([response.headers.get('x-a'), stateOf(response)]).toEqual(['1', STATE])
  })

  test('a redirect whose fields are immutable', async () => {
    const response = await second((app) =>
      app.get('/', () => Response.redirect('https://example.com/there', 303)),
    )
    expect([response.status, response.headers.get('location'), stateOf(response)]).toEqual([
      303,
      'https://example.com/there',
      STATE,
    ])
  })

  test('a response that came from fetch', async () => {
    const { url, token } = inject('gateway')
    const init = { method: 'POST', headers: { authorization: `Bearer ${token}` } }
    const response = await second((app) =>
      app.get('/', () => fetch(url, { ...init, body: '["ECHO","hello"]' })),
    )
    expect([response.status, await response.json()]).toEqual([200, { result: 'hello' }])
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(stateOf(response)).toBe(STATE)
  })

  test('an error that the handler throws', async () => {
    const response = await second((app) => {
      app.get('/', () => {
        throw new RangeError('broken')
      })
      app.onError(({ message }, c) => c.text(message, 500))
    })
    expect([response.status, await response.text(), stateOf(response)]).toEqual([
      500,
      'broken',
      STATE,
    ])
  })

  test('an HTTPException with a response of its own', async () => {
    const response = await second((app) =>
      app.get('/', () => {
        throw new HTTPException(401, { res: new Response('who?', { status: 401 }) })
      }),
    )
    expect([response.status, await response.text(), stateOf(response)]).toEqual([
      401,
      'who?',
      STATE,
    ])
  })

  test('a path that nothing handles', async () => {
    const response = await second((app) => app.get('/', (c) => c.text('home')), '/nowhere')
    expect([response.status, stateOf(response)]).toEqual([404, STATE])
  })

  test('app.notFound', async () => {
    const response = await second((app) => app.notFound((c) => c.text('nothing here', 404)))
    expect([response.status, await response.text(), stateOf(response)]).toEqual([
      404,
      'nothing here',
      STATE,
    ])
  })

  test('a response without a body', async () => {
    const response = await second((app) => app.get('/', (c) => c.body(null, 204)))
    expect([response.status, response.body, stateOf(response)]).toEqual([204, null, STATE])
  })

  test('a stream, before it ends', async () => {
    let send: (text: string) => void = () => {}
    let end = () => {}
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          send = (text) => controller.enqueue(new TextEncoder().encode(text))
          end = () => controller.close()
        },
      })
    const response = await second((app) => app.get('/', () => new Response(stream())))
    expect(stateOf(response)).toBe(STATE)
    const reader = (response.body ?? stream()).getReader()
    for (const text of ['one', 'two']) {
      send(text)
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(text)
    }
    end()
    expect((await reader.read()).done).toBe(true)
  })

  test('a response with fields and cookies of the handler, all of which survive', async () => {
    const response = await second((app) =>
      app.get('/', (c) => {
        c.header('X-Request-Id', '7')
        c.header('Set-Cookie', 'a=1; Path=/', { append: true })
        c.header('Set-Cookie', 'b=2; HttpOnly', { append: true })
        return c.json({ ok: true })
      }),
    )
    expect(response.headers.get('x-request-id')).toBe('7')
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; HttpOnly'])
    expect(stateOf(response)).toBe(STATE)
  })

  test('and what another middleware adds before and after it', async () => {
    const app = new Hono()
      .use(async (c, next) => {
        c.header('X-Before', '1')
        await next()
        c.header('X-After', '1')
        c.header('Set-Cookie', 'outer=1', { append: true })
      })
      .use(allow(10))
      .get('/', (c) => c.text('hello', 200, { 'Set-Cookie': 'inner=1' }))
    const { headers } = await app.request('/')
    expect([headers.get('x-before'), headers.get('x-after')]).toEqual(['1', '1'])
    expect(headers.getSetCookie()).toEqual(['inner=1', 'outer=1'])
    expect(headers.get('ratelimit')).toBe('"default";r=9;t=60')
  })
})

describe('two limiters, one behind the other', () => {
  const app = () => new Hono().use(named('outer', 9)).use(named('inner', 1))

  test('both show, on any response', async () => {
    const responses: Readonly<Record<string, () => Response>> = {
      mutable: () => new Response('ok', { headers: { 'Set-Cookie': 'a=1' } }),
      immutable: () => Response.redirect('https://example.com/'),
    }
    for (const [kind, make] of Object.entries(responses)) {
      const response = await app().get('/', make).request('/')
      expect(stateOf(response), kind).toBe('"inner";r=0;t=60, "outer";r=8;t=60')
      expect(response.headers.get('ratelimit-policy'), kind).toBe(
        '"inner";q=1;w=60, "outer";q=9;w=60',
      )
      expect(response.headers.getSetCookie(), kind).toEqual(make().headers.getSetCookie())
    }
  })

  test('both show where the inner one refuses, whose Retry-After stays', async () => {
    const twice = app().get('/', (c) => c.text('ok'))
    await twice.request('/')
    const refused = await twice.request('/')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect(stateOf(refused)).toBe('"inner";r=0;t=60, "outer";r=7;t=60')
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['inner'] })
  })

  test('the outer one alone shows where it refuses, and the inner one is charged nothing', async () => {
    const gates = new Hono()
      .use('/a', named('outer', 1))
      .use(named('inner', 5))
      .get('*', (c) => c.text('ok'))
    await gates.request('/a')
    const refused = await gates.request('/a')
    expect([refused.status, stateOf(refused)]).toEqual([429, '"outer";r=0;t=60'])
    expect(stateOf(await gates.request('/b'))).toBe('"inner";r=3;t=60')
  })
})

describe('the store', () => {
  test('made by a function is made once, from the bindings of the first request', async () => {
    const seen: object[] = []
    const store = (env: { readonly NAME: string }) => {
      seen.push(env)
      return memory()
    }
    const app = new Hono<{ Bindings: { readonly NAME: string } }>()
    app.use(rateLimit({ limit: 1, window: '1m', client, store }))
    app.get('/', (c) => c.text('ok'))
    expect(seen).toEqual([])
    const env = { NAME: 'first' }
    expect((await app.request('/', {}, env)).status).toBe(200)
    expect((await app.request('/', {}, { NAME: 'second' })).status).toBe(429)
    expect(seen).toEqual([env])
    expect(seen[0]).toBe(env)
  })

  test('that cannot be made is an error of the app and lets nobody pass', async () => {
    let handled = false
    const app = new Hono()
    app.use(rateLimit({ limit: 1, window: '1m', client, store: storeFromEnv }))
    app.get('/', (c) => {
      handled = true
      return c.text('ok')
    })
    app.onError(({ name, message }, c) => c.text(`${name}: ${message}`, 500))
    const response = await app.request('/', {}, { UPSTASH_REDIS_REST_URL: 'https://x.upstash.io' })
    expect(response.status).toBe(500)
    expect(await response.text()).toMatch(
      /^ConfigError: UPSTASH_REDIS_REST_TOKEN: expected .+, got nothing/,
    )
    expect(handled).toBe(false)
  })

  // @hono/node-server, Bun and Deno hand their server over as `env`, and no variables.
  const servers: Readonly<Record<string, object | undefined>> = {
    nothing: undefined,
    "Node's connection": { incoming: { socket: {} }, outgoing: {} },
    "Bun's server": { requestIP: () => null },
    "Deno's connection": { remoteAddr: { hostname: '203.0.113.7' } },
  }
  for (const [kind, env] of Object.entries(servers)) {
    test(`comes from the process's variables where the host hands over ${kind}`, async () => {
      const response = await withVariable('UPSTASH_REDIS_REST_URL', 'https://x.upstash.io', () => {
        const app = new Hono()
        app.use(rateLimit({ limit: 1, window: '1m', client, store: storeFromEnv }))
        app.get('/', (c) => c.text('counted in memory'))
        app.onError(({ message }, c) => c.text(message, 500))
        return app.request('/', {}, env)
      })
      expect(await response.text()).toMatch(/^UPSTASH_REDIS_REST_TOKEN: expected .+, got nothing/)
    })
  }

  /** Sets a variable of the process for the time of a call; workerd has no process, so one is made. */
  async function withVariable<Result>(
    name: string,
    value: string,
    call: () => Result | Promise<Result>,
  ): Promise<Result> {
    const host = globalThis as { process?: { env: Record<string, string | undefined> } }
    const { process } = host
    host.process = process ?? { env: {} }
    host.process.env[name] = value
    try {
      return await call()
    } finally {
      delete host.process.env[name]
      if (process === undefined) delete host.process
    }
  }
})

describe('under cors()', () => {
  const origin = { headers: { Origin: 'https://example.org' } }
  const ALL = ['RateLimit', 'RateLimit-Policy']

  /** The first response of an app, which is allowed, and the second, which is refused. */
  async function both(...middleware: readonly MiddlewareHandler[]) {
    const app = new Hono()
    for (const handler of middleware) app.use(handler)
    app.get('/', (c) => c.text('ok'))
    return [await app.request('/', origin), await app.request('/', origin)] as const
  }

  test('outside the limiter scripts may read the fields, also of a refusal', async () => {
    const [allowed, refused] = await both(cors(), allow(1))
    expect([allowed.status, refused.status]).toEqual([200, 429])
    expect(allowed.headers.get('access-control-allow-origin')).toBe('*')
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    expect(exposedBy(allowed)).toEqual(ALL)
    expect(exposedBy(refused)).toEqual([...ALL, 'Retry-After'])
  })

  test('outside the limiter what it exposes stays, also of a refusal', async () => {
    const options = { origin: 'https://example.org', exposeHeaders: ['X-A'], credentials: true }
    const [allowed, refused] = await both(cors(options), allow(1))
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://example.org')
    expect(refused.headers.get('access-control-allow-credentials')).toBe('true')
    expect(exposedBy(allowed)).toEqual([...ALL, 'X-A'])
    expect(exposedBy(refused)).toEqual([...ALL, 'Retry-After', 'X-A'])
  })

  test('outside the limiter preflights are answered uncounted', async () => {
    const app = new Hono()
      .use(cors())
      .use(allow(1))
      .get('/', (c) => c.text('ok'))
    for (let preflights = 0; preflights < 3; preflights++) {
      expect((await app.request('/', { method: 'OPTIONS', ...origin })).status).toBe(204)
    }
    expect(stateOf(await app.request('/', origin))).toBe('"default";r=0;t=60')
  })

  test('inside the limiter scripts may read the fields of what was allowed', async () => {
    const options = { origin: 'https://example.org', exposeHeaders: ['X-A'] }
    const [allowed, refused] = await both(allow(1), cors(options))
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://example.org')
    expect(allowed.headers.get('vary')).toBe('Origin')
    expect(exposedBy(allowed)).toEqual([...ALL, 'X-A'])
    expect(refused.status).toBe(429)
  })

  test('between two limiters every field is exposed once', async () => {
    const [allowed] = await both(named('outer', 5), cors(), named('inner', 5))
    expect(exposedBy(allowed)).toEqual(ALL)
  })
})

describe('a refusal', () => {
  /** The response to the second request, whose fields an outer middleware has begun to write. */
  async function refused(before: (headers: Headers) => void) {
    const app = new Hono()
      .use(async (c, next) => {
        before(c.res.headers)
        await next()
      })
      .use(allow(1))
      .get('/', (c) => c.text('ok'))
    await app.request('/')
    return app.request('/')
  }

  test('is never stored by a cache, whatever was meant for the page', async () => {
    const { status, headers } = await refused((fields) => {
      fields.set('Cache-Control', 'public, max-age=3600')
    })
    expect([status, headers.get('cache-control')]).toEqual([429, 'no-store'])
  })

  test('keeps the fields and cookies that were set before it', async () => {
    const { headers } = await refused((fields) => {
      fields.set('X-Request-Id', '7')
      fields.append('Set-Cookie', 'a=1')
      fields.append('Set-Cookie', 'b=2')
    })
    expect(headers.get('x-request-id')).toBe('7')
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(headers.get('content-type')).toBe('application/problem+json')
  })
})

describe('a request that Hono routes to a handler', () => {
  // Hono cuts a path before it decodes it, so that an escaped slash belongs to a parameter.
  for (const path of ['/search/a', '/search/a%2Fb', '/search/..%2Fa', '/search/;a']) {
    test(`is counted by the pattern of its route: ${path}`, async () => {
      const app = new Hono()
        .use(allow(1, { match: '/search/:text' }))
        .get('/search/:text', (c) => c.text(c.req.param('text')))
      const response = await app.request(path)
      expect(response.status).toBe(200)
      expect(stateOf(response)).toBe('"default";r=0;t=60')
    })
  }
})

describe('one limiter that is used twice on the way of a request', () => {
  const ALLOWED = [200, '"default";r=8;t=60']

  /** What the second request gets. */
  async function second(app: App, path = '/api/users') {
    await app.request(path)
    const response = await app.request(path)
    return [response.status, stateOf(response)]
  }

  test('charges it once, at the door of an app and of its sub-app', async () => {
    const limited = allow(10)
    const api = new Hono().use(limited).get('/users', limited, (c) => c.text('users'))
    const app = new Hono().use('/api/*', limited).route('/api', api)
    expect(await second(app)).toEqual(ALLOWED)
  })

  test('charges it once where what is between them builds the request anew', async () => {
    const limited = allow(10)
    const app = new Hono()
      .use(limited)
      .use(async (c, next) => {
        c.req.raw = new Request(c.req.raw)
        await next()
      })
      .get('/api/*', limited, (c) => c.text('ok'))
    expect(await second(app)).toEqual(ALLOWED)
  })

  test('charges it once in a sub-app that handles its own errors', async () => {
    const limited = allow(10)
    const api = new Hono()
      .onError((_, c) => c.text('broken', 500))
      .use(limited)
      .get('/users', () => {
        throw new RangeError('broken')
      })
    const app = new Hono().use(limited).route('/api', api)
    expect(await second(app)).toEqual([500, '"default";r=8;t=60'])
  })

  test('refuses over the limit, and not at half of it', async () => {
    const limited = allow(10)
    const api = new Hono().use(limited).get('/users', (c) => c.text('users'))
    const app = new Hono().use('/api/*', limited).route('/api', api)
    const statuses: number[] = []
    for (let n = 0; n < 11; n++) statuses.push((await app.request('/api/users')).status)
    expect(statuses).toEqual([...Array(10).fill(200), 429])
  })

  test('charges each of two limiters, and each request', async () => {
    const app = new Hono().use(named('outer', 9)).use(named('inner', 9))
    const request = new Request('http://localhost/')
    app.get('/', (c) => c.text('ok'))
    await app.fetch(request)
    expect(stateOf(await app.fetch(request))).toBe('"inner";r=7;t=60, "outer";r=7;t=60')
  })
})

describe('a path is matched as it was sent, and as the app sees it that limits', () => {
  const ok = (c: Context) => c.text('ok')
  const limited = (match: string) => allow(9, { match })

  const apps: Readonly<Record<string, (match: string) => App>> = {
    'of an app with a base path': (match) =>
      new Hono().basePath('/v1').use('/api/*', limited(match)).get('/api/ping', ok),
    'of a sub-app': (match) =>
      new Hono().route('/v1', new Hono().use(limited(match)).get('/api/ping', ok)),
    'of a route in a sub-app': (match) =>
      new Hono().route('/v1', new Hono().get('/api/ping', limited(match), ok)),
    'of a sub-app whose base is open': (match) =>
      new Hono().route('/:version', new Hono().use(limited(match)).get('/api/ping', ok)),
    'of a sub-app that handles its own errors': (match) =>
      new Hono().route(
        '/v1',
        new Hono()
          .onError((_, c) => ok(c))
          .use(limited(match))
          .get('/api/ping', ok),
      ),
  }
  for (const [kind, appOf] of Object.entries(apps)) {
    test(kind, async () => {
      const counts = async (match: string) =>
        stateOf(await appOf(match).request('/v1/api/ping')) !== null
      expect(await counts('/v1/api/*')).toBe(true)
      expect(await counts('/api/*')).toBe(true)
      expect(await counts('/ping')).toBe(false)
      expect(await counts('/v1')).toBe(false)
    })
  }

  test('of a sub-app in a sub-app by its whole base', async () => {
    const api = new Hono().use(limited('/ping')).get('/ping', ok)
    const app = new Hono().route('/v1', new Hono().route('/api', api))
    expect(stateOf(await app.request('/v1/api/ping'))).toBe('"default";r=8;t=60')
  })

  test('of a sub-app whose base holds any number of segments', async () => {
    const api = new Hono().use(limited('/login')).get('/login', ok)
    const app = new Hono().route('/:tenant{.+}/x', api)
    const long = 'a/'.repeat(100)
    for (const path of ['/a/x/login', '/a/b/c/x/login', `/${long}x/login`]) {
      const response = await app.request(path)
      expect([response.status, stateOf(response) !== null], path).toEqual([200, true])
    }
  })

  test('of an app with a getPath of its own', async () => {
    const getPath = (request: Request) => new URL(request.url).pathname.replace(/^\/fr(?=\/)/, '')
    const app = new Hono({ getPath }).use(limited('/login')).get('/login', ok)
    expect(stateOf(await app.request('/fr/login'))).toBe('"default";r=8;t=60')
    expect(stateOf(await app.request('/login'))).toBe('"default";r=7;t=60')
  })

  test('but outside a sub-app only as it was sent', async () => {
    const app = new Hono()
      .use(limited('/ping'))
      .route('/admin', new Hono().get('/ping', ok))
      .get('/ping', ok)
    expect(stateOf(await app.request('/admin/ping'))).toBeNull()
    expect(stateOf(await app.request('/ping'))).toBe('"default";r=8;t=60')
  })

  test('within a mounted app as that sees it, and outside as it was sent', async () => {
    const inner = new Hono().use(limited('/api/*')).get('/api/ping', ok)
    const mounted = new Hono().mount('/shop', inner.fetch)
    expect(stateOf(await mounted.request('/shop/api/ping'))).toBe('"default";r=8;t=60')
    const outside = new Hono()
      .use(limited('/shop/api/*'))
      .mount('/shop', new Hono().get('/api/ping', ok).fetch)
    expect(stateOf(await outside.request('/shop/api/ping'))).toBe('"default";r=8;t=60')
  })
})

describe('the examples of the documentation', () => {
  test('one policy, with a store from the bindings', async () => {
    const app = new Hono<{ Bindings: Env }>()
    app.use(
      '/api/*',
      rateLimit({
        limit: 100,
        window: '1m',
        store: (env: Env) =>
          upstash({ url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }),
      }),
    )
    app.get('/api/users', (c) => c.text('users'))

    const { url, token } = inject('gateway')
    const env: Env = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token }
    const response = await app.request('/api/users', {}, env)
    expect(await response.text()).toBe('users')
    expect(response.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60')
    expect(stateOf(response)).toMatch(/^"default";r=\d+;t=\d+$/)
  })

  test('several policies, one trip', async () => {
    const app = new Hono<{ Bindings: Env }>()
    let trips = 0
    const counts = memory()
    const store: Store = {
      guard: 'none',
      take(demands) {
        trips++
        return counts.take(demands)
      },
    }
    app.use(
      rateLimit({
        policies: [
          { name: 'burst', limit: 10, window: '1s' },
          {
            name: 'hourly',
            limit: 1000,
            window: '1h',
            client: header('x-api-key'),
            match: '/api/*',
            methods: ['POST'],
          },
        ],
        store,
      }),
    )
    app.all('*', (c) => c.text('ok'))
    const headers = { 'x-api-key': 'secret' }
    expect(stateOf(await app.request('/api/x', { headers }))).toBe('"burst";r=9;t=1')
    expect(stateOf(await app.request('/api/x', { headers, method: 'POST' }))).toBe(
      '"burst";r=8;t=1, "hourly";r=999;t=3600',
    )
    expect(trips).toBe(2)
  })
})
