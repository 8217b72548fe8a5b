import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, type LimiterOptions, memory } from '../../src/index.ts'
import { policiesFromEnv } from '../../src/policy/policies-from-env.ts'

/** Makes a limiter as somebody without types would. */
const make = (options: object) =>
  createLimiter({ store: memory(), ...options } as LimiterOptions<object>)

const COUNT = 'a whole number from 1 to 999999999999999'
const TIME = 'a duration such as "1m" or a number of milliseconds'
const NAME = '1 to 64 letters, digits, ".", "_" or "-"'

const plan = () => 'free'
const plans = { free: { limit: 10 }, pro: { limit: 100 } }
const good = { window: '1m', plans, plan }

describe('plans that cannot work are an error at construction that names the option', () => {
  const bad: readonly (readonly [object, ConfigError])[] = [
    [{ plans: undefined }, new ConfigError('plans', 'at least one plan', 'nothing')],
    [{ plans: null }, new ConfigError('plans', 'at least one plan', 'null')],
    [{ plans: {} }, new ConfigError('plans', 'at least one plan', 'an object')],
    [{ plans: 5 }, new ConfigError('plans', 'at least one plan', '5')],
    [{ plans: ['free'] }, new ConfigError('plans.0', 'an object', '"free"')],
    [{ plan: undefined }, new ConfigError('plan', 'a function', 'nothing')],
    [{ plan: 'free' }, new ConfigError('plan', 'a function', '"free"')],
    [{ plan: null }, new ConfigError('plan', 'a function', 'null')],
    [{ limit: 5 }, new ConfigError('limit', 'no limit beside `plans`', '5')],
    [{ limit: () => 5 }, new ConfigError('limit', 'no limit beside `plans`', 'a function')],
    [{ plans: { free: 10 } }, new ConfigError('plans.free', 'an object', '10')],
    [{ plans: { free: null } }, new ConfigError('plans.free', 'an object', 'null')],
    [{ plans: { free: {} } }, new ConfigError('plans.free.limit', COUNT, 'nothing')],
    [{ plans: { free: { limit: 0 } } }, new ConfigError('plans.free.limit', COUNT, '0')],
    [
      { plans: { free: { limit: () => 5 } } },
      new ConfigError('plans.free.limit', COUNT, 'a function'),
    ],
    [{ plans: { 'a+b': { limit: 1 } } }, new ConfigError('plans', NAME, '"a+b"')],
    [{ plans: { '': { limit: 1 } } }, new ConfigError('plans', NAME, '""')],
    [
      { plans: { free: { limit: 1, lease: true } } },
      new ConfigError('plans.free.lease', 'one of limit, window', 'an unknown option'),
    ],
    [
      { plans: { free: { max: 1 } } },
      new ConfigError(
        'plans.free.max',
        'one of limit, window',
        'an unknown option (did you mean limit?)',
      ),
    ],
    [{ window: undefined }, new ConfigError('plans.free.window', TIME, 'nothing')],
    [
      { plans: { free: { limit: 1, window: 'soon' } } },
      new ConfigError('plans.free.window', TIME, '"soon"'),
    ],
  ]
  for (const [change, error] of bad) {
    test(error.message, () => {
      expect(() => make({ ...good, ...change })).toThrow(error)
      const list = {
        policies: [
          { name: 'a', limit: 1, window: '1s' },
          { ...good, name: 'b', ...change },
        ],
      }
      expect(() => make(list)).toThrow(`policies[1].${error.message}`)
    })
  }

  test('a plan without plans, beside a limit', () => {
    const options = { limit: 5, window: '1m', plan }
    expect(() => make(options)).toThrow(new ConfigError('plans', 'at least one plan', 'nothing'))
  })

  test('a long name of a plan is not quoted', () => {
    const long = { ...good, plans: { ['x'.repeat(10_000)]: { limit: 1 } } }
    expect(() => make(long)).toThrow(/^plans: expected .+, got a string of 10000 characters$/)
  })

  test('a number as cost is checked for each request, since it may fit another plan', () => {
    expect(() => make({ ...good, cost: 1000 })).not.toThrow()
    expect(() => make({ limit: () => 5, window: '1m', cost: 1000 })).not.toThrow()
    expect(() => make({ ...good, cost: -1 })).toThrow(/^cost: /)
  })

  test('or not: plans with windows of their own, and a policy whose `policies` is undefined', () => {
    expect(() =>
      make({ ...good, plans: { free: { limit: 10 }, pro: { limit: 10, window: '1h' } } }),
    ).not.toThrow()
    expect(() => make({ policies: undefined, ...good })).not.toThrow()
  })
})

describe('the variable POLICIES', () => {
  const entry = { window: '1m', plans, plan: { header: 'x-plan' } }
  const limitOf = async (value: string | undefined) => {
    const policies = policiesFromEnv(JSON.stringify([entry]))
    const headers: HeadersInit = value === undefined ? {} : { 'X-Plan': value }
    const request = new Request('https://example.com/', { headers })
    return (await createLimiter({ policies, store: memory() }).check(request)).policy?.limit
  }

  test('names the header that names the plan', async () => {
    expect(await limitOf('free')).toBe(10)
    expect(await limitOf('pro')).toBe(100)
  })

  for (const value of [
    undefined,
    '',
    'gold',
    'PRO',
    'pro, pro',
    'free, pro',
    'toString',
    '__proto__',
  ]) {
    test(`gives the first plan to a request with ${value}`, async () => {
      expect(await limitOf(value)).toBe(10)
    })
  }

  const want = '{ "header": "x-plan" }'
  const bad: readonly (readonly [object, ConfigError])[] = [
    [{ plan: 'pro' }, new ConfigError('POLICIES[0].plan', want, '"pro"')],
    [{ plan: null }, new ConfigError('POLICIES[0].plan', want, 'null')],
    [
      { plan: { header: 'x', cookie: 'y' } },
      new ConfigError('POLICIES[0].plan', want, 'an object'),
    ],
    [
      { plan: { header: 'x plan' } },
      new ConfigError(
        'POLICIES[0].plan.header',
        'the name of a header, such as "x-api-key"',
        '"x plan"',
      ),
    ],
    [{ plans: undefined }, new ConfigError('POLICIES[0].plans', 'at least one plan', 'nothing')],
    [{ plan: undefined }, new ConfigError('POLICIES[0].plan', want, 'nothing')],
    [
      { plans: { free: { limit: 1 }, 2: { limit: 5 } } },
      new ConfigError('POLICIES[0].plans', 'names with a letter', '"2"'),
    ],
  ]
  for (const [change, error] of bad) {
    test(error.message, () => {
      expect(() => policiesFromEnv([{ ...entry, ...change }])).toThrow(error)
    })
  }

  test('needs the header with plans', () => {
    const { plan: _, ...without } = entry
    expect(() => policiesFromEnv([without])).toThrow(
      new ConfigError('POLICIES[0].plan', 'a function', 'nothing'),
    )
  })
})
