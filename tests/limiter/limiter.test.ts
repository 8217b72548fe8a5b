import { describe, expect, test } from 'vitest'
import {
  ConfigError,
  createLimiter,
  type Decision,
  type Demand,
  guard,
  memory,
  type Store,
  type StoreEvent,
  storeFromEnv,
} from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { pause } from '../support/pause.ts'
import { warningsOf } from '../support/warnings.ts'

const request = (path = '/', headers: Record<string, string> = {}) =>
  new Request(`https://example.com${path}`, { headers })

/** A client that a test chooses by a header, readable in the store. */
const client = (request: Request) => {
  const plain = request.headers.get('client') ?? ''
  return plain === '' ? undefined : { plain }
}

/** A store that notes what was asked of it. */
function recording(store: Store) {
  const asked: (readonly Demand[])[] = []
  const take: Store['take'] = (demands, options) => {
    asked.push(demands)
    return store.take(demands, options)
  }
  return { ...store, take, asked }
}

describe('check', () => {
  test('allows the limit, then refuses until the window ends', async () => {
    const clock = manualClock()
    const limiter = createLimiter({ limit: 2, window: '10s', store: memory({ clock }), client })
    const check = () => limiter.check(request('/', { client: 'a' }))

    expect(await check()).toEqual({
      allowed: true,
      policies: [{ name: '', limit: 2, window: 10_000, remaining: 1, resetIn: 10_000, retryIn: 0 }],
      policy: { name: '', limit: 2, window: 10_000, remaining: 1, resetIn: 10_000, retryIn: 0 },
      retryIn: 0,
      degraded: false,
      source: 'store',
    })
    clock.advance(4000)
    expect((await check()).policy?.remaining).toBe(0)
    const refused = await check()
    expect(refused).toMatchObject({ allowed: false, retryIn: 6000, degraded: false })
    clock.advance(5999)
    expect((await check()).allowed).toBe(false)
    clock.advance(1)
    expect((await check()).allowed).toBe(true)
  })

  test('counts each client alone', async () => {
    const limiter = createLimiter({ limit: 1, window: '10s', store: memory(), client })
    for (const name of ['a', 'b', 'c']) {
      expect((await limiter.check(request('/', { client: name }))).allowed).toBe(true)
      expect((await limiter.check(request('/', { client: name }))).allowed).toBe(false)
    }
  })

  test('asks the store once for all policies that match', async () => {
    const store = recording(memory())
    const limiter = createLimiter({
      policies: [
        { name: 'burst', limit: 10, window: '1s', client },
        { name: 'writes', limit: 3, window: '1h', client, methods: ['POST'] },
        { name: 'api', limit: 5, window: 60_000, client, match: '/api/*' },
      ],
      store,
    })
    const decision = await limiter.check(request('/api/users', { client: 'a' }))
    expect(store.asked).toEqual([
      [
        { policy: 'burst', client: 'a', limit: 10, window: 1000, cost: 1 },
        { policy: 'api', client: 'a', limit: 5, window: 60_000, cost: 1 },
      ],
    ])
    expect(decision.policies.map(({ name }) => name)).toEqual(['burst', 'api'])
    expect(decision.policy?.name).toBe('api')
  })

  test('charges no policy when one refuses, and tells which it was', async () => {
    const clock = manualClock()
    const limiter = createLimiter({
      policies: [
        { name: 'burst', limit: 1, window: '1s', client },
        { name: 'hourly', limit: 5, window: '1h', client },
      ],
      store: memory({ clock }),
    })
    const check = () => limiter.check(request('/', { client: 'a' }))
    await check()
    const refused = await check()
    expect(refused).toMatchObject({ allowed: false, retryIn: 1000, policy: { name: 'burst' } })
    expect(refused.policies.map(({ retryIn, remaining }) => [retryIn, remaining])).toEqual([
      [1000, 0],
      [0, 4],
    ])
    clock.advance(1000)
    expect((await check()).policies[1]?.remaining).toBe(3)
  })

  test('waits for the policy that refuses longest', async () => {
    const limiter = createLimiter({
      policies: [
        { name: 'short', limit: 1, window: '1s', client },
        { name: 'long', limit: 1, window: '1h', client },
      ],
      store: memory({ clock: manualClock() }),
    })
    await limiter.check(request('/', { client: 'a' }))
    expect(await limiter.check(request('/', { client: 'a' }))).toMatchObject({
      retryIn: 3_600_000,
      policy: { name: 'long' },
    })
  })

  test('asks no store for a request that no policy counts', async () => {
    const store = recording(memory())
    const limiter = createLimiter({ limit: 1, window: '1s', match: '/api/*', store })
    expect(await limiter.check(request('/about'))).toEqual({
      allowed: true,
      policies: [],
      policy: undefined,
      retryIn: 0,
      degraded: false,
      source: 'none',
    })
    expect(store.asked).toEqual([])
  })

  test('asks a client function once for all policies that share it', async () => {
    let calls = 0
    const shared = () => {
      calls++
      return { plain: 'a' }
    }
    const limiter = createLimiter({
      policies: [
        { name: 'one', limit: 5, window: '1s', client: shared },
        { name: 'two', limit: 5, window: '1m', client: shared },
      ],
      store: memory(),
    })
    await limiter.check(request())
    expect(calls).toBe(1)
  })

  test('throws what a client function throws, rather than let the request pass', async () => {
    const limiter = createLimiter({
      limit: 5,
      window: '1s',
      store: memory(),
      client: () => {
        throw new RangeError('no such tenant')
      },
    })
    await expect(limiter.check(request())).rejects.toThrow('no such tenant')
  })
})

describe('check of one request again', () => {
  const limiter = (more: object = {}) =>
    createLimiter({ limit: 9, window: '10s', client, store: memory(), ...more })
  const one = request('/', { client: 'a' })
  const remaining = async (checking: Promise<Decision>) => (await checking).policy?.remaining

  test('charges it again: a handler may count each message of a connection', async () => {
    const { check } = limiter()
    expect(await remaining(check(one))).toBe(8)
    expect(await remaining(check(one))).toBe(7)
  })

  test('charges it once for all checks that share one set', async () => {
    const { check } = limiter()
    const once = new Set()
    expect(await remaining(check(one, { once }))).toBe(8)
    expect(await check(one, { once })).toMatchObject({
      allowed: true,
      source: 'none',
      policies: [],
    })
    expect(await remaining(check(one, { once: new Set() }))).toBe(7)
    expect(await remaining(check(one))).toBe(6)
  })

  test('charges it once by each limiter', async () => {
    const once = new Set()
    for (const { check } of [limiter(), limiter()]) {
      expect(await remaining(check(one, { once }))).toBe(8)
    }
  })

  test('charges the policies that did not count it before', async () => {
    const policies = [
      { name: 'all', limit: 9, window: '10s', client },
      { name: 'login', limit: 9, window: '10s', client, match: '/login' },
    ] as const
    const { check } = createLimiter({ policies, store: memory() })
    const once = new Set()
    const names = async (path: string) => {
      const { policies } = await check(request(path, { client: 'a' }), { once })
      return policies.map(({ name }) => name)
    }
    expect(await names('/')).toEqual(['all'])
    expect(await names('/login')).toEqual(['login'])
    expect(await names('/login')).toEqual([])
  })

  test('refuses it again: nothing was charged', async () => {
    const { check } = limiter({ limit: 1 })
    await check(one)
    const once = new Set()
    for (let asked = 0; asked < 2; asked++) {
      expect((await check(one, { once })).allowed).toBe(false)
    }
  })
})

describe('a request that the application knows by further paths', () => {
  const check = (match: string, paths: () => readonly string[]) =>
    createLimiter({ limit: 9, window: '10s', match, store: memory() }).check(
      request('/shop/fr/hello'),
      { paths },
    )
  const paths = () => ['/fr/hello', '/Hello%2F']

  test('is counted by any of them, and by the one in its URL', async () => {
    for (const match of ['/shop/*', '/fr/hello', '/hello']) {
      expect((await check(match, paths)).policies, match).toHaveLength(1)
    }
    for (const match of ['/fr', '/shop', '/api/*']) {
      expect((await check(match, paths)).source, match).toBe('none')
    }
  })

  test('is not asked for them where no policy matches by path', async () => {
    const limiter = createLimiter({ limit: 9, window: '10s', match: () => true, store: memory() })
    const paths = () => {
      throw new Error('asked')
    }
    expect((await limiter.check(request(), { paths })).allowed).toBe(true)
  })
})

describe('an unknown client', () => {
  test('shares one count with all others unless told otherwise', async () => {
    const limiter = createLimiter({ limit: 1, window: '1s', store: memory(), client })
    expect((await limiter.check(request())).allowed).toBe(true)
    expect((await limiter.check(request())).allowed).toBe(false)
  })

  test('is refused on request, without a trip, whatever other policies say', async () => {
    const store = recording(memory())
    const limiter = createLimiter({
      policies: [
        { name: 'all', limit: 5, window: '1s', client: () => ({ plain: 'everybody' }) },
        { name: 'each', limit: 5, window: '1s', client, unknown: 'refuse' },
      ],
      store,
    })
    const decision = await limiter.check(request())
    expect(decision).toMatchObject({ allowed: false, source: 'unknown', policies: [], retryIn: 0 })
    expect(limiter.refuse(decision).status).toBe(403)
    expect(store.asked).toEqual([])
  })

  test('is let pass on request by that policy alone', async () => {
    const limiter = createLimiter({
      policies: [
        { name: 'all', limit: 1, window: '1s', client: () => ({ plain: 'everybody' }) },
        { name: 'each', limit: 1, window: '1s', client, unknown: 'pass' },
      ],
      store: memory(),
    })
    const decision = await limiter.check(request())
    expect(decision.policies.map(({ name }) => name)).toEqual(['all'])
    expect((await limiter.check(request())).allowed).toBe(false)
  })
})

describe('the store', () => {
  test('made by a function is made once, from the environment of the first request', async () => {
    const environments: object[] = []
    const limiter = createLimiter({
      limit: 1,
      window: '1s',
      client,
      store: (env) => {
        environments.push(env)
        return memory()
      },
    })
    expect(environments).toEqual([])
    expect((await limiter.check(request(), { env: { A: '1' } })).allowed).toBe(true)
    expect((await limiter.check(request(), { env: { A: '2' } })).allowed).toBe(false)
    expect(environments).toEqual([{ A: '1' }])
  })

  test('takes the environment that a project declares, and what keeps its work alive', async () => {
    interface Env {
      readonly NAME: string
    }
    const env: Env = { NAME: 'a' }
    const waitUntil = () => {}
    const plain = createLimiter({ limit: 1, window: '1s', client, store: memory() })
    expect((await plain.check(request(), { env, waitUntil })).allowed).toBe(true)
    const typed = createLimiter({
      limit: 1,
      window: '1s',
      client,
      store: ({ NAME }: Env) => memory({ maxKeys: NAME.length }),
    })
    expect((await typed.check(request(), { env })).allowed).toBe(true)
    // @ts-expect-error: one policy and a list of them
    expect(() => createLimiter({ limit: 1, window: '1s', policies: [] })).toThrow('limit')
  })

  test('is asked for again after the function threw', async () => {
    let broken = true
    const limiter = createLimiter({
      limit: 1,
      window: '1s',
      store: () => {
        if (broken) throw new ConfigError('TOKEN', 'a token', 'nothing')
        return memory()
      },
    })
    await expect(limiter.check(request())).rejects.toThrow(
      /^TOKEN: expected a token.*, got nothing/,
    )
    broken = false
    expect((await limiter.check(request())).allowed).toBe(true)
  })

  test('of the environment is one with half of its variables: an error that names the other', async () => {
    const limiter = createLimiter({ limit: 1, window: '1s', store: storeFromEnv })
    const env = { UPSTASH_REDIS_REST_URL: 'https://eu1-calm-1234.upstash.io' }
    await expect(limiter.check(request(), { env })).rejects.toThrow(
      /^UPSTASH_REDIS_REST_TOKEN: expected .+, got nothing/,
    )
  })
})

/** The message of an event's error. */
const textOf = (event: StoreEvent) => (event.type === 'back' ? '' : event.error.message)

describe('an outage', () => {
  const hung: Store = { guard, take: () => new Promise(() => {}) }
  const failing: Store = {
    guard,
    take: () => Promise.reject(new Error('secret-client is broken')),
  }

  for (const [kind, store] of Object.entries({ hung, failing })) {
    test(`of a ${kind} store is counted locally, marked and reported once`, async () => {
      const reports: string[] = []
      const limiter = createLimiter({
        limit: 2,
        window: '1m',
        client,
        store,
        timeout: '5ms',
        clock: manualClock(),
        onStoreEvent: (event) => reports.push(`${event.type}: ${textOf(event)}`),
      })
      const check = () => limiter.check(request('/', { client: 'secret-client' }))
      expect(await check()).toMatchObject({
        allowed: true,
        degraded: true,
        source: 'local',
        policy: { remaining: 1, resetIn: 60_000 },
      })
      expect((await check()).allowed).toBe(true)
      expect(await check()).toMatchObject({ allowed: false, degraded: true, retryIn: 60_000 })
      expect(reports).toHaveLength(1)
      expect(reports[0]).not.toContain('secret-client')
    })
  }

  test('ends with the first answer, and a second one is reported again', async () => {
    let down = true
    const store = memory()
    const flaky: Store = {
      guard,
      take: (demands) => (down ? Promise.reject(new Error('down')) : store.take(demands)),
    }
    let reports = 0
    const limiter = createLimiter({
      limit: 5,
      window: '1m',
      client,
      store: flaky,
      breaker: false,
      onStoreEvent: ({ type }) => {
        if (type === 'away') reports++
      },
    })
    const source = async () => (await limiter.check(request('/', { client: 'a' }))).source
    expect([await source(), reports]).toEqual(['local', 1])
    down = false
    expect([await source(), reports]).toEqual(['store', 1])
    down = true
    expect([await source(), reports]).toEqual(['local', 2])
  })
})

/** A store that is a trip away: memory that is guarded as if it were one. */
function distant(clock = manualClock()) {
  const { asked, take } = recording(memory({ clock }))
  return { clock, asked, store: { guard, take } }
}

describe('a store that is a trip away', () => {
  test('is not asked about a client who is known to have used the limit up', async () => {
    const { clock, asked, store } = distant()
    const limiter = createLimiter({ limit: 2, window: '10s', store, client, clock })
    const check = () => limiter.check(request('/', { client: 'a' }))
    for (let unit = 0; unit < 2; unit++) expect((await check()).source).toBe('store')
    clock.advance(2)
    const refused = await check()
    expect(refused).toMatchObject({ allowed: false, source: 'known', retryIn: 10_000 })
    expect(refused.policies).toHaveLength(1)
    expect(asked).toHaveLength(2)
    expect(limiter.refuse(refused).headers.get('Retry-After')).toBe('10')
    clock.advance(10_000)
    expect(await check()).toMatchObject({ allowed: true, source: 'store' })
  })

  test('is waited for as long as `timeout` says, by the timer that the limiter was given', async () => {
    const clock = manualClock()
    const hanging: Store = { guard, take: () => new Promise(() => {}) }
    const limiter = createLimiter({
      limit: 2,
      window: '1h',
      timeout: '30m',
      store: hanging,
      client,
      clock,
      timer: clock.timer,
      onStoreEvent: () => {},
    })
    let decision: Decision | undefined
    void limiter.check(request('/', { client: 'a' })).then((made) => {
      decision = made
    })
    const soon = () => pause(0)
    clock.advance(30 * 60_000 - 1)
    await soon()
    expect(decision).toBeUndefined()
    clock.advance(1)
    await soon()
    expect(decision).toMatchObject({ allowed: true, degraded: true })
  })

  test('leaves out of a decision the policies of which nothing is known yet', async () => {
    const { clock, store } = distant()
    const policies = [
      { name: 'each', limit: 9, window: '10s', client },
      { name: 'login', limit: 1, window: '10s', client, match: '/login' },
      { name: 'admin', limit: 5, window: '10s', client, match: '/login/admin' },
      { name: 'all', limit: 1, window: '10s', client, match: '/*' },
    ] as const
    const limiter = createLimiter({ policies, store, clock })
    await limiter.check(request('/login', { client: 'a' }))
    const refused = await limiter.check(request('/login/admin', { client: 'a' }))
    expect(refused).toMatchObject({ allowed: false, source: 'known', policy: { name: 'all' } })
    expect(refused.policies.map(({ name }) => name)).toEqual(['each', 'all'])
    const headers = limiter.refuse(refused).headers
    expect(headers.get('RateLimit')).toBe('"each";r=8;t=10, "all";r=0;t=10')
  })

  test('is asked once for many units where the policy leases and the client is hot', async () => {
    const { clock, asked, store } = distant()
    const limiter = createLimiter({ limit: 9999, window: '1m', lease: true, store, client, clock })
    const sources = new Map<string, number>()
    for (let n = 0; n < 1000; n++) {
      const { allowed, source } = await limiter.check(request('/', { client: 'a' }))
      expect(allowed).toBe(true)
      sources.set(source, (sources.get(source) ?? 0) + 1)
      clock.advance(10)
    }
    expect(sources.get('lease')).toBeGreaterThan(900)
    expect(asked.length).toBeLessThan(100)
  })

  test('is refilled from where the host keeps such work alive, and no request waits for it', async () => {
    const { clock, store } = distant()
    const limiter = createLimiter({ limit: 1000, window: '1m', lease: true, store, client, clock })
    const work: Promise<unknown>[] = []
    const waitUntil = (one: Promise<unknown>) => void work.push(one)
    for (let n = 0; n < 200; n++) {
      await limiter.check(request('/', { client: 'a' }), { waitUntil })
      await Promise.all(work)
      clock.advance(20)
    }
    expect(work.length).toBeGreaterThan(0)
  })

  const hosts = {
    throws: () => {
      throw new TypeError('Illegal invocation')
    },
    rejects: async () => {
      throw new TypeError('Illegal invocation')
    },
  }
  for (const [how, waitUntil] of Object.entries(hosts)) {
    test(`is counted in also where the host ${how} at what is to be kept alive`, async () => {
      const { clock, store } = distant()
      const errors: unknown[] = []
      const { error } = console
      console.error = (...said: unknown[]) => errors.push(said)
      try {
        const limiter = createLimiter({
          limit: 9999,
          window: '1m',
          lease: true,
          store,
          client,
          clock,
        })
        for (let n = 0; n < 300; n++) {
          expect((await limiter.check(request('/', { client: 'a' }), { waitUntil })).allowed).toBe(
            true,
          )
          clock.advance(10)
        }
        expect(errors.length).toBeGreaterThan(0)
      } finally {
        console.error = error
      }
    })
  }

  test('that is away lets a lease be spent, and refuses whom it is known to refuse', async () => {
    const { clock, store: near } = distant()
    let away = false
    const store: Store = {
      guard,
      take: (...args) => (away ? Promise.reject(new Error('away')) : near.take(...args)),
    }
    const shared = { window: '1m', store, client, clock, onStoreEvent: () => {} } as const
    const leasing = createLimiter({ ...shared, name: 'hot', limit: 1000, lease: true })
    const strict = createLimiter({ ...shared, name: 'strict', limit: 1 })
    const check = (limiter: typeof strict) => limiter.check(request('/', { client: 'a' }))
    let taken = 0
    // Until a lease of several units has just been taken.
    for (let n = 0; n < 500 && taken < 10; n++) {
      clock.advance(10)
      taken = (await check(leasing)).source === 'lease' ? taken + 1 : 0
    }
    while (taken > 0 && (await check(leasing)).source === 'lease') clock.advance(10)
    await check(strict)
    away = true
    expect(await check(leasing)).toMatchObject({ allowed: true, degraded: false, source: 'lease' })
    expect(await check(strict)).toMatchObject({ allowed: false, degraded: false, source: 'known' })
  })
})

describe('a reporter of outages that fails itself', () => {
  const reporters = {
    'by throwing': () => {
      throw new Error('no log today')
    },
    'by rejecting': () => Promise.reject(new Error('no log today')),
  }
  for (const [how, onStoreEvent] of Object.entries(reporters)) {
    test(`${how} is logged, and the request is counted`, async () => {
      const errors: unknown[] = []
      const { error } = console
      console.error = (...said: unknown[]) => errors.push(said)
      const store: Store = { guard, take: () => Promise.reject(new Error('down')) }
      try {
        const limiter = createLimiter({ limit: 1, window: '1m', client, store, onStoreEvent })
        expect((await limiter.check(request('/', { client: 'a' }))).source).toBe('local')
        expect((await limiter.check(request('/', { client: 'a' }))).allowed).toBe(false)
        await pause(0)
        expect(errors).toHaveLength(1)
      } finally {
        console.error = error
      }
    })
  }
})

describe('an error of a store that is not ours', () => {
  const saidOf = async (thrown: unknown) => {
    const said: string[] = []
    const store: Store = { guard, take: () => Promise.reject(thrown) }
    const onStoreEvent = (event: StoreEvent) => said.push(textOf(event))
    const limiter = createLimiter({ limit: 1, window: '1m', client, store, onStoreEvent })
    await limiter.check(request('/', { client: 'secret-client' }))
    return said
  }

  test('is reported with its words', async () => {
    expect(await saidOf(new TypeError('Redis is not a constructor'))).toEqual([
      'the store failed: TypeError: Redis is not a constructor',
    ])
    expect(await saidOf('no luck')).toEqual(['the store failed: no luck'])
  })

  test('is reported without the client, a token, and what follows the host in a URL', async () => {
    const words =
      'GET https://user:hush@kv.internal/hush/ratelimit%3Ahidden?_token=hush: bad header ' +
      '"Bearer hush" of secret-client, command was: ["GET", "hush"]'
    expect(await saidOf(new Error(words))).toEqual([
      'the store failed: Error: GET https://kv.internal/… bad header "Bearer …" of …',
    ])
  })
})

test('a store that answers with anything but one grant per demand counts as away', async () => {
  const odd = [undefined, null, [], [{}, {}], [{}], [null], [{ granted: 1, used: Number.NaN }]]
  for (const answer of odd) {
    const store = { guard, take: async () => answer } as unknown as Store
    const options = { limit: 1, window: '1m', client, store, onStoreEvent: () => {} } as const
    const decision = await createLimiter(options).check(request('/', { client: 'a' }))
    expect(decision).toMatchObject({ allowed: true, source: 'local' })
  }
})

test('a store that does not say what stands before it is refused, before anything is counted', async () => {
  const store: Store = { take: memory().take }
  const want = /^store: expected `guard` to be set/
  expect(() => createLimiter({ limit: 1, window: '1m', store })).toThrow(want)
  const late = createLimiter({ limit: 1, window: '1m', store: () => store })
  await expect(late.check(request())).rejects.toThrow(want)
})

test('a store in the place of a guarded one is asked in its place', async () => {
  const { store } = distant()
  const limiter = createLimiter({
    limit: 9,
    window: '1m',
    client,
    store: { ...store, take: () => Promise.reject(new Error('down')) },
    onStoreEvent: () => {},
  })
  expect((await limiter.check(request('/', { client: 'a' }))).source).toBe('local')
})

test('two policies of one name and different limits over one store are warned of', () => {
  const store = memory()
  const first = warningsOf(() => {
    createLimiter({ limit: 5, window: '1h', match: '/login', store })
    createLimiter({ limit: 5, window: '1h', match: '/logout', store })
    createLimiter({ limit: 9, window: '1h', store: memory() })
  })
  expect(first).toEqual([])
  const said = warningsOf(() => createLimiter({ limit: 100, window: '1m', store }))
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('give each policy its own name')
})

describe('bad options are errors at construction that name the option', () => {
  const good = { limit: 1, window: '1s', store: memory() } as const
  const bad: readonly (readonly [RegExp, object])[] = [
    [/^limit: expected .+, got nothing/, {}],
    [/^limit: expected .+, got 0/, { ...good, limit: 0 }],
    [/^window: expected .+, got "5 minits"/, { ...good, window: '5 minits' }],
    [/^policies: expected a list of at least one policy.*, got an empty list/, { policies: [] }],
    [/^limit: expected .+, got it next to `policies`/, { limit: 1, policies: [good] }],
    [/^store: expected a store such as memory\(\).*, got nothing/, { ...good, store: undefined }],
    [/^store: expected .+, got an object/, { ...good, store: {} }],
    [/^lease: expected true, false or \{ ahead \}.*, got "yes"/, { ...good, lease: 'yes' }],
    [/^lease\.ahead: expected .+, got 0/, { ...good, lease: { ahead: 0 } }],
    [/^lease\.size: expected .+, got an unknown option/, { ...good, lease: { size: 5 } }],
    [/^store: expected .+, got a string of 6 characters/, { ...good, store: 'memory' }],
    [/^timeout: expected .+, got 0/, { ...good, timeout: 0 }],
    [/^headers: expected .+, got "draft-99"/, { ...good, headers: 'draft-99' }],
    [/^unknown: expected .+, got "deny"/, { ...good, unknown: 'deny' }],
    [/^client: expected .+, got "ip"/, { ...good, client: 'ip' }],
    [/^mathc: expected .+, got an unknown option/, { ...good, mathc: '/api/*' }],
    [/^onStoreEvent: expected .+, got "log"/, { ...good, onStoreEvent: 'log' }],
    [/^clock: expected .+, got 5/, { ...good, clock: 5 }],
  ]
  for (const [message, options] of bad) {
    test(`${message}`, () => {
      expect(() => createLimiter(options as never)).toThrow(message)
    })
  }
})
