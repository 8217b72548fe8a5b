import { Redis } from '@upstash/redis'
import { Ratelimit as Portable } from 'upstash-ratelimit-2.0.8'
import { Ratelimit as Newest } from 'upstash-ratelimit-2.2.0'
import type { Place } from '../backend/backend.ts'
import type { Contestant, Quota } from './contestant.ts'

/** The two versions are alike in what is used here, but their types are not each other's. */
function upstashRatelimit(version: string, Ratelimit: typeof Newest | typeof Portable): Contestant {
  return {
    name: `@upstash/ratelimit ${version}`,
    short: `Upstash ${version}`,
    atomic: true,
    async limit({ url, token }, { limit, window }) {
      const limiter = new Ratelimit({
        redis: new Redis({ url, token }),
        limiter: Ratelimit.fixedWindow(limit, `${window} ms`),
      })
      return {
        async check(client) {
          const { success, reason, pending } = await limiter.limit(client)
          if (reason === 'timeout') throw new Error('the store did not answer')
          await pending
          return { allowed: success, source: reason }
        },
      }
    },
  }
}

/** The newest version itself, for what only some limiters have. */
export const upstashRatelimitOf = ({ url, token }: Place, { limit, window }: Quota): Newest =>
  new Newest({
    redis: new Redis({ url, token }),
    limiter: Newest.fixedWindow(limit, `${window} ms`),
    ephemeralCache: false,
  })

/** The last that runs on a plain Redis (peers.md §0, surprise 1). */
export const upstash208 = upstashRatelimit('2.0.8', Portable)
/** The newest, whose header our gateway strips. */
export const upstash220 = upstashRatelimit('2.2.0', Newest)
