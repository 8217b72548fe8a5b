import { describe, expect, test } from 'vitest'
import * as next from '../../src/adapters/next.ts'
import * as vercel from '../../src/adapters/vercel.ts'
import { type Client, memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

/** What a host hands over with each request. */
const event = () => ({ waitUntil() {} })

const client: Client = () => ({ plain: 'a' })
const request = (path = '/') => new Request(`https://example.com${path}`)

/** What a response says of its policies. */
const stateOf = ({ headers }: Response) => headers.get('ratelimit')

for (const [entry, { rateLimit }] of Object.entries({ next, vercel })) {
  const allow = (limit: number) => ({
    limit,
    window: '1m' as const,
    client,
    store: memory({ clock: manualClock() }),
  })

  describe(`tidegate/${entry}: one limiter that is used twice on the way of a request`, () => {
    test('charges it once, and the first response tells', async () => {
      const limited = rateLimit(allow(10))
      for (let left = 9; left >= 0; left--) {
        const call = [request(), event()] as const
        const first = await limited(...call)
        expect([first.status, stateOf(first)]).toEqual([200, `"default";r=${left};t=60`])
        const second = await limited(...call)
        expect([second.status, stateOf(second)]).toEqual([200, null])
      }
      expect((await limited(request(), event())).status).toBe(429)
    })

    test('refuses it each time', async () => {
      const limited = rateLimit(allow(1))
      await limited(request(), event())
      const refused = [request(), event()] as const
      for (let n = 0; n < 2; n++) expect((await limited(...refused)).status).toBe(429)
    })

    test('charges each call without an event: no host calls so, but a test of a team does', async () => {
      const limited = rateLimit(allow(1))
      const one = request()
      expect((await limited(one, undefined)).status).toBe(200)
      expect((await limited(one, undefined)).status).toBe(429)
    })

    test('is not taken for another that stands around it: both charge and tell', async () => {
      const outer = rateLimit(allow(10), rateLimit(allow(5)))
      expect(stateOf(await outer(request(), event()))).toBe(
        '"default";r=4;t=60, "default";r=9;t=60',
      )
    })
  })
}
