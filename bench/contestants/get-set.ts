import { Redis } from '@upstash/redis'
import type { Contestant } from './contestant.ts'

/** What the old guide told people to write, line by line: docs/from-get-set.md. */
export const getSet: Contestant = {
  name: 'the guide’s GET, then SET',
  short: 'GET, SET',
  atomic: false,
  async limit({ url, token }, { limit, window }) {
    const redis = new Redis({ url, token })
    return {
      async check(client) {
        const key = `ratelimit:${client}`
        const count = Number(await redis.get(key)) || 0
        if (count >= limit) return { allowed: false }
        await redis.set(key, count + 1, { ex: window / 1000 })
        return { allowed: true }
      },
    }
  },
}
