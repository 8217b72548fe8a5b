import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, memory, type Store } from '../../src/index.ts'
import { durableObject } from '../../src/stores/durable-object.ts'
import { upstash } from '../../src/stores/upstash.ts'

/** The error of the first check of a limiter whose `store` is this function. */
async function errorOf(store: unknown, env?: object): Promise<string> {
  const limiter = createLimiter({
    limit: 1,
    window: '1s',
    client: () => ({ plain: 'a' }),
    store: store as (env: object) => Store,
  })
  const error = await limiter.check(new Request('https://example.com/'), { env }).catch((e) => e)
  expect(error).toBeInstanceOf(ConfigError)
  return error.message
}

describe('a store given as a function that fails', () => {
  test('for want of an environment: the error says how one is handed over', async () => {
    const store = ({ URL: url = '', TOKEN: token = '' }) => upstash({ url, token })
    expect(await errorOf(store)).toMatch(
      /^store: .*check\(request, \{ env \}\), got .*url: expected /,
    )
  })

  for (const [name, store] of Object.entries({ memory, upstash, durableObject })) {
    test(`since ${name} is not called: the error says so`, async () => {
      expect(await errorOf(store, { SOME: 'variable' })).toMatch(
        /^store: .*memory\(\) with its parentheses, or \(env\) => upstash/,
      )
    })
  }
})

describe('a store in memory that does not return a number of units granted lets nobody pass', () => {
  const times = { used: 1, resetIn: 1000, retryIn: 0 }
  const answers: Readonly<Record<string, unknown>> = {
    'NaN units': [{ ...times, granted: Number.NaN }],
    'a grant without them': [times],
    'an empty grant': [{}],
    'a list of nothing': new Array(1),
    'no list': 5,
    null: null,
    nothing: undefined,
  }
  for (const [name, answer] of Object.entries(answers)) {
    test(name, async () => {
      const store = { guard: 'none', take: async () => answer } as unknown as Store
      const limiter = createLimiter({ limit: 1, window: '1s', client: () => 'a', store })
      const decision = await limiter.check(new Request('https://example.com/'))
      expect(decision.allowed).toBe(false)
      const { headers } = limiter.refuse(decision)
      for (const [, value] of headers) expect(value).not.toMatch(/NaN|undefined/)
    })
  }
})

test('a source that is none is told as the store', async () => {
  const grant = { granted: 1, used: 1, resetIn: 1000, retryIn: 0, source: 'cache' }
  const store = { guard: 'none', take: async () => [grant] } as unknown as Store
  const limiter = createLimiter({ limit: 1, window: '1s', client: () => 'a', store })
  const decision = await limiter.check(new Request('https://example.com/'))
  expect(decision).toMatchObject({ allowed: true, source: 'store', degraded: false })
})
