import { describe, expect, test } from 'vitest'
import {
  ConfigError,
  createLimiter,
  type DecisionEvent,
  header,
  type LimitFunction,
  memory,
  type PlanFunction,
} from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const request = (fields: Readonly<Record<string, string>> = {}) =>
  new Request('https://example.com/', { headers: fields })
const client = () => ({ plain: 'a' })
const planOf: PlanFunction = ({ headers }) => headers.get('plan') ?? 'free'
const plans = { free: { limit: 2 }, pro: { limit: 4 } } as const

describe('a limit that is a function', () => {
  for (const [kind, limit] of Object.entries<LimitFunction>({
    'a function': ({ headers }) => Number(headers.get('limit')),
    'an async function': async ({ headers }) => Number(headers.get('limit')),
  })) {
    test(`is what ${kind} returns for each request, and the client keeps its count`, async () => {
      const limiter = createLimiter({ limit, window: '1m', client, store: memory() })
      const check = async (most: number) => {
        const { allowed, policy } = await limiter.check(request({ limit: `${most}` }))
        return [allowed, policy?.limit, policy?.remaining]
      }
      expect(await check(3)).toEqual([true, 3, 2])
      expect(await check(3)).toEqual([true, 3, 1])
      expect(await check(2)).toEqual([false, 2, 0])
      expect(await check(1)).toEqual([false, 1, 0])
      expect(await check(5)).toEqual([true, 5, 2])
      expect(await check(3)).toEqual([false, 3, 0])
    })
  }

  test('shows in the header fields', async () => {
    const limit = () => 7
    const limiter = createLimiter({ limit, window: '1m', client, store: memory() })
    const fields = limiter.headers(await limiter.check(request()))
    expect(fields).toMatchObject({
      'ratelimit-policy': '"default";q=7;w=60',
      ratelimit: '"default";r=6;t=60',
    })
  })

  describe('gets the client', () => {
    const seen: unknown[] = []
    const limit: LimitFunction = (_, who) => seen.push(who)
    const check = async (identity: unknown, more: object = {}) => {
      const options = { limit, window: '1m', client: () => identity as never, ...more } as const
      await createLimiter({ ...options, store: memory() }).check(request())
      return seen.at(-1)
    }

    test('as its function returned it, before it is hashed', async () => {
      expect(await check('secret')).toBe('secret')
      expect(await check(Promise.resolve('secret'))).toBe('secret')
      expect(await check({ plain: '203.0.113.7' })).toBe('203.0.113.7')
      expect(await check(Promise.resolve({ plain: 'b' }))).toBe('b')
    })

    test('as undefined, if it is unknown', async () => {
      for (const unknown of [undefined, null, '', { plain: '' }, Promise.resolve(null)]) {
        expect(await check(unknown)).toBe(undefined)
      }
    })

    test('and is not called for a client that its policy refuses or passes', async () => {
      const { length } = seen
      await check(undefined, { unknown: 'refuse' })
      await check(undefined, { unknown: 'pass' })
      expect(seen.length).toBe(length)
    })

    test('that the caller passed in place of it', async () => {
      const limiter = createLimiter({ limit, window: '1m', client: () => 'a', store: memory() })
      await limiter.check(request(), { client: 'b' })
      expect(seen.at(-1)).toBe('b')
    })

    test('that another policy asked for', async () => {
      let calls = 0
      const shared = () => `client ${++calls}`
      const policies = [
        { name: 'fixed', limit: 5, window: '1m', client: shared },
        { name: 'computed', limit, window: '1m', client: shared },
        { name: 'again', limit, window: '1h', client: shared },
      ] as const
      await createLimiter({ policies, store: memory() }).check(request())
      expect(seen.slice(-2)).toEqual(['client 1', 'client 1'])
      expect(calls).toBe(1)
    })

    test('and the context', async () => {
      const fromEnv: LimitFunction = (_, __, { env }) => Number(env?.LIMIT)
      const limiter = createLimiter({ limit: fromEnv, window: '1m', client, store: memory() })
      const decision = await limiter.check(request(), { env: { LIMIT: '3' } })
      expect(decision.policy?.limit).toBe(3)
    })
  })

  for (const limit of [0, -1, 1.5, Number.NaN, Infinity, 1e15, '3', null, undefined]) {
    test(`that returns ${limit} is a ConfigError that names the policy`, async () => {
      const wrong = () => limit as never
      const check = (name?: string) =>
        createLimiter({ name, limit: wrong, window: '1m', client, store: memory() }).check(
          request(),
        )
      await expect(check()).rejects.toThrow(/^limit: expected a whole number from 1 to 999999999/)
      await expect(check('api')).rejects.toThrow(/^limit of api: expected a whole number/)
      await expect(check()).rejects.toBeInstanceOf(ConfigError)
    })
  }

  test('that throws makes check throw, and charges no policy', async () => {
    const limit = () => {
      throw new RangeError('no such customer')
    }
    const store = memory()
    const first = { name: 'first', limit: 5, window: '1m', client } as const
    const both = createLimiter({ policies: [first, { name: 'b', limit, window: '1m' }], store })
    await expect(both.check(request())).rejects.toThrow('no such customer')
    const decision = await createLimiter({ policies: [first], store }).check(request())
    expect(decision.policy?.remaining).toBe(4)
  })

  test('below the cost refuses uncharged, whatever the cost is', async () => {
    const limit: LimitFunction = ({ headers }) => Number(headers.get('limit'))
    for (const cost of [4, () => 4]) {
      const limiter = createLimiter({ limit, window: '1m', client, cost, store: memory() })
      const refused = await limiter.check(request({ limit: '3' }))
      expect(refused).toMatchObject({ allowed: false, source: 'cost', retryIn: 0 })
      expect(await limiter.check(request({ limit: '4' }))).toMatchObject({ allowed: true })
    }
  })
})

describe('plans', () => {
  test('give a client the limit of its plan, and a client that changes its plan keeps its count', async () => {
    const plan: PlanFunction = async (one, who, context) => planOf(one, who, context)
    for (const choose of [planOf, plan]) {
      const limiter = createLimiter({ window: '1m', plans, plan: choose, client, store: memory() })
      const check = async (name: string) => {
        const { allowed, policy } = await limiter.check(request({ plan: name }))
        return [allowed, policy?.limit, policy?.remaining]
      }
      expect(await check('free')).toEqual([true, 2, 1])
      expect(await check('free')).toEqual([true, 2, 0])
      expect(await check('free')).toEqual([false, 2, 0])
      expect(await check('pro')).toEqual([true, 4, 1])
      expect(await check('free')).toEqual([false, 2, 0])
    }
  })

  test('with the same windows share a key, also if each has its own', async () => {
    const own = { free: { limit: 2, window: '1m' }, pro: { limit: 4, window: '60s' } } as const
    const limiter = createLimiter({
      name: 'api',
      plans: own,
      plan: planOf,
      client,
      store: memory(),
    })
    await limiter.check(request({ plan: 'pro' }))
    expect((await limiter.check(request())).policy).toMatchObject({ name: 'api', remaining: 0 })
  })

  test('with a window of their own count by themselves, under the name of the policy', async () => {
    const clock = manualClock()
    const events: DecisionEvent[] = []
    const limiter = createLimiter({
      name: 'api',
      window: '1m',
      plans: { free: { limit: 2 }, pro: { limit: 4, window: '1s' } },
      plan: planOf,
      client,
      store: memory({ clock }),
      onDecision: (event) => void events.push(event),
    })
    const check = (name: string) => limiter.check(request({ plan: name }))
    await check('free')
    await check('free')
    expect((await check('free')).policy).toMatchObject({ name: 'api', limit: 2, window: 60_000 })
    const pro = await check('pro')
    expect(pro.policies).toEqual([
      { name: 'api', limit: 4, window: 1000, remaining: 3, resetIn: 1000, retryIn: 0 },
    ])
    expect(limiter.headers(pro)['ratelimit-policy']).toBe('"api";q=4;w=1')
    clock.advance(1000)
    expect((await check('pro')).policy?.remaining).toBe(3)
    expect((await check('free')).allowed).toBe(false)
    expect(new Set(events.flatMap(({ outcomes }) => outcomes.map(({ policy }) => policy)))).toEqual(
      new Set(['api']),
    )
  })

  test('name the key by the policy, and by the plan if its window is not that of the first', async () => {
    const taken: unknown[] = []
    const store = memory()
    const watched = {
      ...store,
      take: (...args: Parameters<typeof store.take>) => {
        taken.push(...args[0].map(({ policy }) => policy))
        return store.take(...args)
      },
    }
    const own = {
      free: { limit: 2, window: '1m' },
      pro: { limit: 4, window: '1h' },
      top: { limit: 9, window: '60s' },
    } as const
    const shared = { plan: planOf, client, store: watched }
    await createLimiter({ name: 'api', plans: own, ...shared }).check(request())
    await createLimiter({ plans: own, ...shared }).check(request({ plan: 'pro' }))
    await createLimiter({ name: 'api', plans, window: '1m', ...shared }).check(request())
    await createLimiter({ name: 'api', plans: own, ...shared }).check(request({ plan: 'top' }))
    expect(taken).toEqual(['api', '+pro', 'api', 'api'])
  })

  test('stand beside policies without plans', async () => {
    const policies = [
      { name: 'burst', limit: 3, window: '1s', client },
      { name: 'daily', window: '1d', plans, plan: planOf, client: header('key'), unknown: 'pass' },
    ] as const
    const limiter = createLimiter({ policies, store: memory() })
    expect((await limiter.check(request())).policies).toMatchObject([{ name: 'burst' }])
    expect((await limiter.check(request({ key: 'k', plan: 'pro' }))).policies).toMatchObject([
      { name: 'burst', limit: 3, remaining: 1 },
      { name: 'daily', limit: 4, remaining: 3 },
    ])
  })

  for (const plan of ['gold', '', 'toString', undefined, null, 5]) {
    test(`without ${plan} are a ConfigError that names the policy`, async () => {
      const wrong = () => plan as never
      const shared = { window: '1m', plans, plan: wrong, client, store: memory() } as const
      await expect(createLimiter(shared).check(request())).rejects.toThrow(
        /^plan: expected one of free, pro, got /,
      )
      const named = createLimiter({ ...shared, name: 'api' }).check(request())
      await expect(named).rejects.toThrow(/^plan of api: expected one of free, pro, got /)
      await expect(named).rejects.toBeInstanceOf(ConfigError)
    })
  }
})

describe('take', () => {
  test('names the plan or the limit that a policy needs', async () => {
    const policies = [
      { name: 'fixed', limit: 5, window: '1m' },
      { name: 'planned', window: '1m', plans, plan: planOf },
      { name: 'computed', limit: () => 1, window: '1m' },
    ] as const
    const limiter = createLimiter({ policies, store: memory() })
    const decision = await limiter.take('user:42', { plan: 'pro', limit: 500, cost: 2 })
    expect(decision.policies).toMatchObject([
      { name: 'fixed', limit: 5, remaining: 3 },
      { name: 'planned', limit: 4, remaining: 2 },
      { name: 'computed', limit: 500, remaining: 498 },
    ])
  })

  test('shares its count with requests of the same client', async () => {
    const shared = { window: '1m', plans, plan: planOf, client, store: memory() } as const
    const limiter = createLimiter(shared)
    await limiter.check(request())
    expect((await limiter.take({ plain: 'a' }, { plan: 'pro' })).policy?.remaining).toBe(2)
  })

  test('without them, or with wrong ones, is a ConfigError', async () => {
    const planned = createLimiter({ window: '1m', plans, plan: planOf, store: memory() })
    const computed = createLimiter({ limit: () => 5, window: '1m', store: memory() })
    await expect(planned.take('a')).rejects.toThrow(
      new ConfigError('take.plan', 'one of free, pro', 'nothing'),
    )
    await expect(planned.take('a', { plan: 'gold' })).rejects.toThrow(
      new ConfigError('take.plan', 'one of free, pro', '"gold"'),
    )
    for (const limit of [undefined, 0, 1.5, '5' as never]) {
      await expect(computed.take('a', { limit })).rejects.toThrow(
        /^take\.limit: expected a whole number from 1 to /,
      )
    }
  })

  test('of more than the plan refuses uncharged, and reports the name of the policy', async () => {
    const events: DecisionEvent[] = []
    const own = { free: { limit: 2, window: '1m' }, pro: { limit: 4, window: '1h' } } as const
    const limiter = createLimiter({
      name: 'api',
      plans: own,
      plan: planOf,
      store: memory(),
      onDecision: (event) => void events.push(event),
    })
    const refused = await limiter.take('a', { plan: 'free', cost: 3 })
    expect(refused).toMatchObject({ allowed: false, source: 'cost' })
    expect((await limiter.take('a', { plan: 'free', cost: 2 })).allowed).toBe(true)
    expect(events.flatMap(({ outcomes }) => outcomes.map(({ policy }) => policy))).toEqual([
      'api',
      'api',
    ])
  })
})
