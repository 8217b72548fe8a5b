import { Redis } from '@upstash/redis'
import type { Contestant } from './contestant.ts'

/** The limiter that many guides show, line by line: docs/from-get-set.md. */
export const getSet: Contestant = {
  name: 'GET, then SET',
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
