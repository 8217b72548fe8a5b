import { Redis } from '@upstash/redis/cloudflare'
import { Hono } from 'hono'
import { Ratelimit } from 'upstash-ratelimit-2.2.0'
import { CLIENT, DECIDED, LIMIT, type StorePlace, TIMEOUT_MS, WINDOW_MS } from '../quota.ts'

/**
 * With `timeout`, after which a request passes
 * (https://upstash.com/docs/redis/sdks/ratelimit-ts/features#timeout). The default is 5 s.
 */
export function app({ url, token }: StorePlace): Hono {
  const limiter = new Ratelimit({
    redis: new Redis({ url, token }),
    limiter: Ratelimit.fixedWindow(LIMIT, `${WINDOW_MS} ms`),
    timeout: TIMEOUT_MS,
  })
  const app = new Hono()
  app.use(async (c, next) => {
    const { success, reason, pending } = await limiter.limit(c.req.header(CLIENT) ?? '')
    pending.catch(() => {})
    c.header(DECIDED, reason === 'timeout' ? 'here' : 'store')
    if (!success) return c.text('too many', 429)
    return next()
  })
  app.get('/', (c) => c.text('ok'))
  return app
}
