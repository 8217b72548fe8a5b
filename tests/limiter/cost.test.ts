import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, type DecisionEvent, memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const request = (cost?: number) =>
  new Request('https://example.com/', { headers: cost === undefined ? {} : { cost: `${cost}` } })
const client = () => ({ plain: 'a' })
const costOf = ({ headers }: Request) => Number(headers.get('cost') ?? 1)

describe('the cost of a request', () => {
  test('is a number for all', async () => {
    const limiter = createLimiter({ limit: 10, window: '1m', client, cost: 4, store: memory() })
    const remaining = []
    for (let n = 0; n < 3; n++) remaining.push((await limiter.check(request())).policy?.remaining)
    expect(remaining).toEqual([6, 2, 2])
  })

  for (const [kind, cost] of Object.entries({
    'a function': costOf,
    'an async function': async (one: Request) => costOf(one),
  })) {
    test(`is what ${kind} returns, and a smaller one still fits`, async () => {
      const limiter = createLimiter({ limit: 10, window: '1m', client, cost, store: memory() })
      expect((await limiter.check(request(8))).allowed).toBe(true)
      expect((await limiter.check(request(3))).allowed).toBe(false)
      expect(await limiter.check(request(2))).toMatchObject({ allowed: true })
      expect((await limiter.check(request(1))).allowed).toBe(false)
      expect((await limiter.check(request(0))).allowed).toBe(true)
    })
  }

  test('may depend on the body, of which the function of each policy reads a clone', async () => {
    let calls = 0
    const cost = async (one: Request) => {
      calls++
      return (await one.clone().json()).recipients.length
    }
    const policies = [
      { name: 'short', limit: 10, window: '1m', client, cost },
      { name: 'long', limit: 99, window: '1h', client, cost },
    ] as const
    const limiter = createLimiter({ policies, store: memory() })
    const body = JSON.stringify({ recipients: ['a', 'b', 'c'] })
    const sent = new Request('https://example.com/', { method: 'POST', body })
    const decision = await limiter.check(sent)
    expect(decision.policies.map(({ remaining }) => remaining)).toEqual([7, 96])
    expect(calls).toBe(2)
    // The handler reads the body after the check.
    expect(await sent.text()).toBe(body)
  })

  test('cannot read the body itself twice, so `check` throws', async () => {
    const cost = async (one: Request) => (await one.json()).recipients.length
    const policies = [
      { name: 'short', limit: 10, window: '1m', client, cost },
      { name: 'long', limit: 99, window: '1h', client, cost },
    ] as const
    const limiter = createLimiter({ policies, store: memory() })
    const body = JSON.stringify({ recipients: [] })
    const sent = new Request('https://example.com/', { method: 'POST', body })
    await expect(limiter.check(sent)).rejects.toThrow(TypeError)
  })

  test('above the limit is refused uncharged, and waiting does not help', async () => {
    const events: DecisionEvent[] = []
    const onDecision = (event: DecisionEvent) => void events.push(event)
    const policies = [
      { name: 'small', limit: 5, window: '1m', client, cost: costOf },
      { name: 'large', limit: 50, window: '1h', client, cost: costOf },
    ] as const
    const limiter = createLimiter({ policies, store: memory(), onDecision })
    const decision = await limiter.check(request(6))
    expect(decision).toMatchObject({ allowed: false, retryIn: 0, source: 'cost', policies: [] })
    expect(events[0]?.outcomes).toEqual([
      { policy: 'small', refused: true, cost: 6, source: 'cost' },
    ])
    const response = limiter.refuse(decision)
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, null])
    expect((await response.json()).detail).toBe(
      'The request costs more than the limit. Waiting will not help.',
    )
    expect(limiter.headers(decision)).not.toHaveProperty('retry-after')
    expect((await limiter.check(request(5))).policies).toMatchObject([
      { remaining: 0 },
      { remaining: 45 },
    ])
  })

  for (const cost of [1e15, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
    test(`of ${cost}, which a client may cause, is above every limit`, async () => {
      const huge = () => cost
      const limiter = createLimiter({ limit: 9, window: '1m', client, cost: huge, store: memory() })
      expect(await limiter.check(request())).toMatchObject({ allowed: false, source: 'cost' })
    })
  }

  for (const cost of [-1, 1.5, Number.NaN, '3', null, undefined]) {
    test(`${cost} of a function is a ConfigError that names the policy`, async () => {
      const wrong = () => cost as never
      const limiter = createLimiter({
        limit: 9,
        window: '1m',
        client,
        cost: wrong,
        store: memory(),
      })
      await expect(limiter.check(request())).rejects.toThrow(/^cost: expected a whole number/)
      await expect(limiter.check(request())).rejects.toBeInstanceOf(ConfigError)
    })
  }

  for (const cost of [-1, 0.5, 11, '1']) {
    test(`${cost} as an option is a ConfigError`, () => {
      const options = { limit: 10, window: '1m', cost: cost as never, store: memory() } as const
      expect(() => createLimiter(options)).toThrow(/^cost: expected a whole number from 0 to 10/)
    })
  }
})

describe('take', () => {
  const policies = [
    { name: 'burst', limit: 3, window: '1s' },
    { name: 'hourly', limit: 5, window: '1h' },
  ] as const

  test('counts a client in all policies, without a request', async () => {
    const clock = manualClock()
    const limiter = createLimiter({ policies, store: memory({ clock }), clock })
    expect(await limiter.take('user:42', { cost: 3 })).toMatchObject({
      allowed: true,
      policies: [
        { name: 'burst', remaining: 0 },
        { name: 'hourly', remaining: 2 },
      ],
    })
    expect((await limiter.take('user:42')).allowed).toBe(false)
    expect((await limiter.take('user:43')).allowed).toBe(true)
    clock.advance(1000)
    expect((await limiter.take('user:42', { cost: 3 })).allowed).toBe(false)
    expect((await limiter.take('user:42', { cost: 2 })).allowed).toBe(true)
  })

  test('counts the client whom a request with the same identity names', async () => {
    const shared = { limit: 2, window: '1m', store: memory() } as const
    const limiter = createLimiter({ ...shared, client: () => 'user:42' })
    await limiter.check(request())
    expect((await limiter.take('user:42')).policy?.remaining).toBe(0)
    expect((await limiter.take({ plain: 'user:42' })).policy?.remaining).toBe(1)
  })

  test('reports its decision', async () => {
    const events: DecisionEvent[] = []
    const onDecision = (event: DecisionEvent) => void events.push(event)
    const limiter = createLimiter({ limit: 5, window: '1m', store: memory(), onDecision })
    await limiter.take('user:42', { cost: 2 })
    await limiter.take('user:42', { cost: 6 })
    expect(events.map(({ outcomes }) => outcomes)).toEqual([
      [{ policy: '', refused: false, cost: 2, source: 'store' }],
      [{ policy: '', refused: true, cost: 6, source: 'cost' }],
    ])
  })

  for (const wrong of ['', null, undefined, { plain: '' }, 5]) {
    test(`of ${JSON.stringify(wrong)} is a ConfigError`, async () => {
      const limiter = createLimiter({ limit: 5, window: '1m', store: memory() })
      await expect(limiter.take(wrong as never)).rejects.toBeInstanceOf(ConfigError)
    })
  }

  test('of a cost that cannot be is a ConfigError', async () => {
    const limiter = createLimiter({ limit: 5, window: '1m', store: memory() })
    for (const cost of [-1, 0.5, Number.NaN, '2' as never]) {
      await expect(limiter.take('a', { cost })).rejects.toThrow(
        /^take\.cost: expected a whole number/,
      )
    }
  })

  test('with an unknown option, or a number in place of options, is a ConfigError', async () => {
    const limiter = createLimiter({ limit: 5, window: '1m', store: memory() })
    for (const options of [{ costs: 3 }, 3, null, 'x', []]) {
      await expect(limiter.take('a', options as never)).rejects.toBeInstanceOf(ConfigError)
    }
  })
})
