import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, memory, type Store } from '../../src/index.ts'
import { settling as settlingStore } from '../../src/settling/settling.ts'
import { manualClock } from '../../src/testing/index.ts'

const store = () => memory()
const able = (clock = Date.now) => settlingStore(memory({ clock }))
const ONE = { limit: 5, window: '1m' } as const
const TWO = {
  policies: [
    { name: 'burst', limit: 2, window: '1s' },
    { name: 'hourly', limit: 5, window: '1h' },
  ],
} as const

describe('take', () => {
  test('counts a different client in each policy', async () => {
    const limiter = createLimiter({ ...TWO, store: store() })
    const clients = { burst: { plain: 'a' }, hourly: { plain: 'team' } }
    await limiter.take({ clients })
    await limiter.take({ clients: { ...clients, burst: { plain: 'b' } } })
    const { policies } = await limiter.peek({ clients })
    expect(policies.map(({ remaining }) => remaining)).toEqual([1, 3])
  })

  for (const [clients, message] of [
    [{ burst: 'a' }, /^take\.clients\.hourly: expected a text or \{ plain \}/],
    [
      { burst: 'a', hourly: 'b', daily: 'c' },
      /^take\.clients\.daily: expected the name of a policy/,
    ],
    [{ burst: 'a', hourly: '' }, /^take\.clients\.hourly/],
    [7, /^take\.clients: expected an object with a client for each policy, got 7/],
  ] as const) {
    test(`rejects the clients ${JSON.stringify(clients)}`, async () => {
      const limiter = createLimiter({ ...TWO, store: store() })
      await expect(limiter.take({ clients } as never)).rejects.toThrow(message)
    })
  }

  test('rejects different clients if the store counts each client separately', async () => {
    const one: Store = { ...memory(), oneClient: true }
    const limiter = createLimiter({ ...TWO, store: one })
    const clients = { burst: 'a', hourly: 'b' }
    await expect(limiter.take({ clients })).rejects.toThrow(/^take\.clients: expected the same/)
    expect(await limiter.take({ clients: { burst: 'a', hourly: 'a' } })).toMatchObject({
      allowed: true,
    })
  })
})

describe('peek', () => {
  test('returns what take would return, and counts nothing', async () => {
    const limiter = createLimiter({ ...ONE, store: store() })
    for (let n = 0; n < 3; n++) {
      expect(await limiter.peek('a')).toMatchObject({
        allowed: true,
        retryIn: 0,
        policy: { remaining: 5 },
      })
    }
    await limiter.take('a', { cost: 4 })
    expect(await limiter.peek('a')).toMatchObject({ allowed: true, policy: { remaining: 1 } })
    const refused = await limiter.peek('a', { cost: 2 })
    expect(refused).toMatchObject({ allowed: false, policy: { remaining: 1 } })
    expect(refused.retryIn).toBeGreaterThan(59_000)
    expect(await limiter.peek('a', { cost: 6 })).toMatchObject({ source: 'cost', retryIn: 0 })
  })

  test('tells a time after which take is granted', async () => {
    const clock = manualClock()
    const limiter = createLimiter({ ...ONE, store: memory({ clock }), clock })
    await limiter.take('a', { cost: 5 })
    clock.advance((await limiter.peek('a')).retryIn)
    expect(await limiter.take('a')).toMatchObject({ allowed: true })
  })
})

describe('reset', () => {
  test('forgets what this client has used, in all policies, and no other client', async () => {
    const limiter = createLimiter({ ...TWO, store: store() })
    for (const client of ['a', 'b']) await limiter.take(client, { cost: 2 })
    await limiter.reset('a')
    expect((await limiter.peek('a')).policies.map(({ remaining }) => remaining)).toEqual([2, 5])
    expect((await limiter.peek('b')).policies.map(({ remaining }) => remaining)).toEqual([0, 3])
  })

  test('needs a store that can do it', async () => {
    const { take, guard } = memory()
    const limiter = createLimiter({ ...ONE, store: { take, guard: guard ?? 'none' } })
    await expect(limiter.reset('a')).rejects.toThrow(/^reset: expected a store that can reset keys/)
  })
})

describe('settle', () => {
  const settling = { ...ONE, settle: true } as const

  test('corrects the count to the units that were used, once', async () => {
    const limiter = createLimiter({ ...settling, store: able() })
    const decision = await limiter.take('a', { cost: 4 })
    expect(await limiter.settle(decision, 1)).toBe(true)
    expect(await limiter.settle(decision, 0)).toBe(false)
    expect((await limiter.peek('a')).policy?.remaining).toBe(4)
  })

  test('accepts the receipt of a decision, in another isolate too', async () => {
    const shared = able()
    const [one, other] = [shared, shared].map((store) => createLimiter({ ...settling, store }))
    const { receipt = '' } = (await one?.take('a', { cost: 4 })) ?? {}
    expect(await other?.settle(receipt, 3)).toBe(true)
    expect((await one?.peek('a'))?.policy?.remaining).toBe(2)
  })

  test('leaves a policy alone whose name every object inherits', async () => {
    const policies = ['constructor', 'user'].map((name) => ({ name, ...settling }))
    const limiter = createLimiter({ policies, store: able() })
    await limiter.settle(await limiter.take('a', { cost: 2 }), { user: 1 })
    const { policies: counts } = await limiter.peek('a')
    expect(counts.map(({ remaining }) => remaining)).toEqual([3, 4])
  })

  test('needs a store that can settle', async () => {
    const { receipt = '' } = await createLimiter({ ...settling, store: able() }).take('a')
    const limiter = createLimiter({ ...ONE, store: memory() })
    await expect(limiter.settle(receipt, 0)).rejects.toThrow(
      /^settle: expected settling\(store\) of "tidegate\/settle"/,
    )
  })

  test('settles each policy by its name', async () => {
    const policies = TWO.policies.map((policy) => ({ ...policy, limit: 9, settle: true as const }))
    const limiter = createLimiter({ policies, store: able() })
    const decision = await limiter.take('a', { cost: 5 })
    await limiter.settle(decision, { burst: 0 })
    const { policies: states } = await limiter.peek('a')
    expect(states.map(({ remaining }) => remaining)).toEqual([9, 4])
  })

  test('has a receipt in the decision, and none in its event, which names no client', async () => {
    const events: object[] = []
    const onDecision = (event: object) => void events.push(event)
    const limiter = createLimiter({ ...settling, store: able(), onDecision })
    expect((await limiter.take({ plain: 'ann' })).receipt).toContain('ann')
    expect(JSON.stringify(events)).not.toContain('ann')
  })

  test('has nothing to do for a decision that counted nothing', async () => {
    const limiter = createLimiter({ ...settling, store: able() })
    await limiter.take('a', { cost: 5 })
    const refused = await limiter.take('a')
    expect(refused.receipt).toBeUndefined()
    expect(await limiter.settle(refused, 0)).toBe(false)
    expect((await limiter.peek('a')).policy?.remaining).toBe(0)
  })

  test('gives nothing back in a later window', async () => {
    const clock = manualClock()
    const limiter = createLimiter({ ...settling, store: able(clock), clock })
    const decision = await limiter.take('a', { cost: 4 })
    clock.advance(60_001)
    await limiter.take('a', { cost: 4 })
    expect(await limiter.settle(decision, 0)).toBe(false)
    expect((await limiter.peek('a')).policy?.remaining).toBe(1)
  })

  for (const [decision, units, message] of [
    ['no receipt', 1, /^settle: expected a decision or its `receipt`/],
    ['["id",["a"]]', 1, /^settle: expected a decision or its `receipt`/],
    [undefined, 1, /^settle: expected a decision or its `receipt`, got nothing/],
    ['["id"]', -1, /^settle: expected a whole number of units, from 0, got -1/],
    ['["id"]', 1.5, /^settle: expected a whole number/],
    ['["id"]', '3', /^settle: expected a whole number/],
    ['["id"]', { daily: 1 }, /^settle\.daily: expected the name of a policy that is settled/],
  ] as const) {
    test(`rejects ${JSON.stringify(decision)} with the units ${JSON.stringify(units)}`, async () => {
      const limiter = createLimiter({ ...settling, store: able() })
      await expect(limiter.settle(decision as never, units as never)).rejects.toThrow(message)
      await expect(limiter.settle(decision as never, units as never)).rejects.toThrow(ConfigError)
    })
  }

  test('is no option beside a lease, or of a store that cannot do it', () => {
    const { take, guard } = memory()
    const plain: Store = { take, guard: guard ?? 'none' }
    expect(() => createLimiter({ ...settling, store: plain })).toThrow(
      /^store: expected settling\(store\) of "tidegate\/settle"/,
    )
    expect(() => createLimiter({ ...settling, lease: true, store: able() })).toThrow(/^lease: /)
    expect(() => createLimiter({ ...ONE, settle: 'yes' as never, store: able() })).toThrow(
      /^settle: expected true or a function that returns units, got "yes"/,
    )
  })
})
