import { Redis } from '@upstash/redis'
import { Hono } from 'hono'
import { RedisStore, rateLimiter } from 'hono-rate-limiter'
import type { Contestant } from './contestant.ts'

export const honoRateLimiter: Contestant = {
  name: 'hono-rate-limiter 0.5.4',
  short: 'hono-rate-limiter',
  atomic: true,
  async limit({ url, token }, { limit, window }) {
    const store = new RedisStore({ client: new Redis({ url, token }) })
    const app = new Hono()
    app.use(
      rateLimiter({
        limit,
        windowMs: window,
        keyGenerator: (c) => c.req.header('x-client') ?? '',
        store,
      }),
    )
    app.get('/', (c) => c.text('ok'))
    return {
      async check(client) {
        const { status } = await app.request('/', { headers: { 'x-client': client } })
        if (status !== 200 && status !== 429) throw new Error(`it answered ${status}`)
        return { allowed: status === 200 }
      },
    }
  },
}
