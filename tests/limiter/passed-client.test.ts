/** Who asks, passed to one call: `check(request, { ip })` and `check(request, { client })`. */
import { describe, expect, test } from 'vitest'
import { createLimiter, header, ip, memory, type PolicyOptions } from '../../src/index.ts'

const request = (headers: HeadersInit = {}) => new Request('https://example.com/', { headers })

const limiterOf = (...policies: readonly Partial<PolicyOptions>[]) =>
  createLimiter({
    policies: policies.map((policy, at) => ({ name: `p${at}`, limit: 1, window: '1m', ...policy })),
    store: memory(),
  })

describe('an address that is passed', () => {
  test('is the client of ip(), by its network', async () => {
    const limiter = limiterOf({ client: ip() })
    const allowed = async (address: string) =>
      (await limiter.check(request(), { ip: address })).allowed
    expect(await allowed('203.0.113.1')).toBe(true)
    expect(await allowed('203.0.113.1')).toBe(false)
    expect(await allowed('203.0.113.2')).toBe(true)
    expect(await allowed('2001:db8::1')).toBe(true)
    expect(await allowed('[2001:db8::2]:443')).toBe(false)
  })

  test('comes before a header that the policy names', async () => {
    const limiter = limiterOf({ client: ip({ header: 'x-real-ip' }) })
    const from = (address: string) => request({ 'x-real-ip': address })
    await limiter.check(from('203.0.113.1'), { ip: '203.0.113.9' })
    expect(await limiter.check(from('203.0.113.2'), { ip: '203.0.113.9' })).toMatchObject({
      allowed: false,
    })
  })

  for (const missing of [null, undefined]) {
    test(`is not passed if it is ${missing}`, async () => {
      const limiter = limiterOf({ client: ip({ header: 'x-real-ip' }) })
      const from = (address: string) => request({ 'x-real-ip': address })
      await limiter.check(from('203.0.113.1'), { ip: missing })
      expect((await limiter.check(from('203.0.113.2'), { ip: missing })).allowed).toBe(true)
    })
  }

  test('reaches a client function of the caller', async () => {
    const limiter = limiterOf({ client: (_, { ip: address }) => ({ plain: `team-${address}` }) })
    await limiter.check(request(), { ip: '203.0.113.1' })
    expect((await limiter.check(request(), { ip: '203.0.113.1' })).allowed).toBe(false)
    expect((await limiter.check(request(), { ip: '203.0.113.2' })).allowed).toBe(true)
  })

  test('must be a text: the method that returns it is an error', async () => {
    const limiter = limiterOf({})
    const check = limiter.check as (request: Request, context: object) => Promise<unknown>
    await expect(check(request(), { ip: () => '203.0.113.1' })).rejects.toThrow(/^ip: /)
  })
})

describe('a client that is passed', () => {
  test('is counted in place of the client of every policy', async () => {
    let calls = 0
    const client = () => ({ plain: `${++calls}` })
    const limiter = limiterOf({ client }, { client: header('x-api-key'), limit: 2 })
    expect(await limiter.check(request(), { client: 'user-42' })).toMatchObject({ allowed: true })
    expect(await limiter.check(request(), { client: 'user-42' })).toMatchObject({ allowed: false })
    expect(await limiter.check(request(), { client: 'user-43' })).toMatchObject({ allowed: true })
    expect(calls).toBe(0)
  })

  test('reaches the store as a hash, or unchanged as { plain }', async () => {
    const asked: string[] = []
    const store = memory()
    const limiter = createLimiter({
      limit: 9,
      window: '1m',
      store: {
        guard: 'none',
        async take(demands) {
          asked.push(...demands.map((demand) => demand.client))
          return store.take(demands)
        },
      },
    })
    await limiter.check(request(), { client: 'ada@example.com' })
    await limiter.check(request(), { client: { plain: 'tenant-7' } })
    expect(asked).toEqual([expect.stringMatching(/^[\da-f]{32}$/), 'tenant-7'])
  })

  test('reaches no store as it was passed', async () => {
    const options: unknown[] = []
    const near = memory()
    const limiter = createLimiter({
      limit: 9,
      window: '1m',
      store: {
        guard: 'none',
        take(demands, given) {
          options.push(given)
          return near.take(demands)
        },
      },
    })
    await limiter.check(request(), { client: 'ada@example.com', ip: '203.0.113.1' })
    expect(JSON.stringify(options)).toBe('[{}]')
  })

  for (const wrong of [42, {}, [], new String('a')]) {
    test(`must be a string or { plain }: not ${JSON.stringify(wrong)}`, async () => {
      const limiter = limiterOf({})
      const check = limiter.check as (request: Request, context: object) => Promise<unknown>
      await expect(check(request(), { client: wrong })).rejects.toThrow(
        /^client: expected a string/,
      )
    })
  }

  test('is unknown if it is null or empty, so that `unknown` decides', async () => {
    const limiter = limiterOf({ unknown: 'refuse' })
    for (const client of [null, '']) {
      expect(await limiter.check(request(), { client })).toMatchObject({ source: 'unknown' })
    }
  })

  test('must not be a function: that is an option', async () => {
    const limiter = limiterOf({})
    const check = limiter.check as (request: Request, context: object) => Promise<unknown>
    await expect(check(request(), { client: () => 'a' })).rejects.toThrow(/^client: /)
  })
})
