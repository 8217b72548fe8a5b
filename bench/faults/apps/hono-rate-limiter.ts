import { Redis } from '@upstash/redis/cloudflare'
import { Hono } from 'hono'
import { RedisStore, rateLimiter } from 'hono-rate-limiter'
import { CLIENT, DECIDED, LIMIT, type StorePlace, TIMEOUT_MS, WINDOW_MS } from '../quota.ts'

/**
 * It has no setting for a store that fails, so its client gets a timeout
 * (https://upstash.com/docs/redis/sdks/ts/advanced#request-timeout). The default is none.
 *
 * On Workers it is made for each request. One that is kept awaits the loading of its script, by a
 * request that may have ended: after the first call that fails, workerd cancels all its requests.
 */
export function app({ url, token }: StorePlace): Hono {
  const client = new Redis({ url, token, signal: () => AbortSignal.timeout(TIMEOUT_MS) })
  const newLimiter = () =>
    rateLimiter({
      limit: LIMIT,
      windowMs: WINDOW_MS,
      keyGenerator: (c) => c.req.header(CLIENT) ?? '',
      store: new RedisStore({ client }),
    })
  const kept = navigator.userAgent === 'Cloudflare-Workers' ? undefined : newLimiter()
  const app = new Hono()
  app.use((c, next) => (kept ?? newLimiter())(c, next))
  app.get('/', (c) => c.text('ok', 200, { [DECIDED]: 'store' }))
  return app
}
