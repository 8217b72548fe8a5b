import { Hono } from 'hono'
import { ip, memory } from 'tidegate'
import { rateLimit } from 'tidegate/hono'
import { LIMIT, WINDOW } from './quota.ts'

/** Its default client, told that this is Cloudflare, so that Node reads the same header. */
export function app(): Hono {
  const app = new Hono()
  const client = ip({ platform: 'cloudflare' })
  app.use(rateLimit({ limit: LIMIT, window: WINDOW, store: memory(), client }))
  app.get('/', (c) => c.text('ok'))
  return app
}
