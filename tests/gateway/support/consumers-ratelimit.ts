import * as newest from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import * as before from 'upstash-ratelimit-2.0'
import { expect, vi } from 'vitest'
import type { Endpoint } from '../../support/servers.ts'
import type { Consumer } from './consumers.ts'

/** The last version whose scripts have no header, and the newest, whose scripts have one. */
const VERSIONS = { '2.0.8': before, newest }

const HOUR = '1 h'

const client = (at: Endpoint) =>
  new Redis({
    ...at,
    enableTelemetry: false,
    retry: { retries: 0 },
    automaticDeserialization: true,
  })

const id = () => crypto.randomUUID()

/** Without its cache in memory and its time-out, which lets everything pass. */
const options = { ephemeralCache: false, timeout: 60_000 } as const

/** A limit of 2 lets two of three requests pass. */
async function limits(
  limiter: Pick<newest.Ratelimit, 'limit'>,
  name = id(),
  want: readonly unknown[] = [true, true, false],
) {
  const passed: boolean[] = []
  for (let request = 0; request < 3; request++) {
    const { success, pending } = await limiter.limit(name)
    await pending
    passed.push(success)
  }
  expect(passed).toEqual(want)
}

const each = (
  check: (version: typeof newest, at: Endpoint, elsewhere: Endpoint) => Promise<unknown>,
  what: string,
): Consumer['checks'] =>
  Object.fromEntries(
    Object.entries(VERSIONS).map(([name, version]) => [
      `${what}, ${name}`,
      (at, elsewhere) => check(version, at, elsewhere),
    ]),
  )

export const RATELIMIT: readonly Consumer[] = [
  {
    name: '`@upstash/ratelimit`: every algorithm, `getRemaining`, `resetUsedTokens`, deny lists',
    checks: {
      ...each(({ Ratelimit }, at) => {
        const limiter = Ratelimit.fixedWindow(2, HOUR)
        return limits(new Ratelimit({ ...options, redis: client(at), limiter }))
      }, 'fixedWindow'),
      ...each(({ Ratelimit }, at) => {
        const limiter = Ratelimit.slidingWindow(2, HOUR)
        return limits(new Ratelimit({ ...options, redis: client(at), limiter }))
      }, 'slidingWindow'),
      ...each(({ Ratelimit }, at) => {
        const limiter = Ratelimit.tokenBucket(2, HOUR, 2)
        return limits(new Ratelimit({ ...options, redis: client(at), limiter }))
      }, 'tokenBucket'),
      ...each(({ Ratelimit }, at) => {
        const limiter = Ratelimit.cachedFixedWindow(2, HOUR)
        const ephemeralCache = new Map()
        const ratelimit = new Ratelimit({ ...options, redis: client(at), limiter, ephemeralCache })
        // The two versions decide differently about the second request.
        return limits(ratelimit, id(), [true, expect.any(Boolean), false])
      }, 'cachedFixedWindow'),
      ...each(async ({ Ratelimit }, at) => {
        const name = id()
        const limiter = Ratelimit.slidingWindow(2, HOUR)
        const ratelimit = new Ratelimit({ ...options, redis: client(at), limiter, prefix: name })
        await limits(ratelimit, name)
        expect(await ratelimit.getRemaining(name)).toMatchObject({ remaining: 0 })
        await ratelimit.resetUsedTokens(name)
        expect(await ratelimit.getRemaining(name)).toMatchObject({ remaining: 2 })
        expect(await ratelimit.blockUntilReady(name, 1000)).toMatchObject({ success: true })
      }, 'what is left, and a reset'),
      ...each(async ({ Ratelimit }, at) => {
        const limiter = Ratelimit.fixedWindow(2, HOUR)
        const redis = client(at)
        const ratelimit = new Ratelimit({ ...options, redis, limiter, enableProtection: true })
        // Without it the limiter fetches a list from elsewhere.
        await redis.set('@upstash/ratelimit:ipDenyListStatus', 'disabled')
        await limits(ratelimit)
      }, 'with deny lists'),
    },
  },
  {
    name: '`@upstash/ratelimit`: `analytics: true`',
    checks: each(async ({ Ratelimit }, at) => {
      const [redis, prefix] = [client(at), id()]
      const limiter = Ratelimit.fixedWindow(2, HOUR)
      await limits(new Ratelimit({ ...options, redis, limiter, prefix, analytics: true }))
      // The limiter reports no error if the event is not recorded.
      const recorded = `return #redis.call('KEYS', ARGV[1])`
      expect(await redis.eval(recorded, [], [`${prefix}:events:*`])).toBe(1)
    }, 'analytics'),
  },
  {
    name: '`@upstash/ratelimit`: `MultiRegionRatelimit`',
    checks: Object.assign(
      {},
      ...(['fixedWindow', 'slidingWindow'] as const).map((algorithm) =>
        each(async ({ MultiRegionRatelimit }, at, elsewhere) => {
          const [name, prefix] = [id(), id()]
          const limiter = MultiRegionRatelimit[algorithm](2, HOUR)
          const of = (...regions: readonly Endpoint[]) => {
            // Its types are those of the client's other build.
            const redis = regions.map(client) as never[]
            return new MultiRegionRatelimit({ ...options, redis, limiter, prefix })
          }
          await limits(of(at, elsewhere))
          // A region gets the counts that it missed from the other region.
          await limits(of(at), name)
          const { pending } = await of(at, elsewhere).limit(name)
          await pending
          expect(await of(elsewhere).limit(name)).toMatchObject({ success: false })
        }, `${algorithm} of two regions`),
      ),
    ),
  },
  {
    name: '`@upstash/ratelimit`: `IpDenyList`',
    checks: each(async ({ IpDenyList }, at) => {
      const prefix = id()
      const fetched = vi.spyOn(globalThis, 'fetch')
      fetched.mockResolvedValueOnce(new Response('192.0.2.1\n192.0.2.2\n'))
      await IpDenyList.updateIpDenyList(client(at) as never, prefix, 1)
      fetched.mockRestore()
      await IpDenyList.disableIpDenyList(client(at) as never, prefix)
    }, 'deny lists of addresses'),
  },
]
