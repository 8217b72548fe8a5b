import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { CLIENT, LIMIT, WINDOW } from './quota.ts'

/** With its memory store, and two header fields (draft-7) instead of the four that it sends by default. */
export function app(): Hono {
  const app = new Hono()
  app.use(
    rateLimiter({
      limit: LIMIT,
      windowMs: WINDOW,
      standardHeaders: 'draft-7',
      keyGenerator: (c) => c.req.header(CLIENT) ?? '',
    }),
  )
  app.get('/', (c) => c.text('ok'))
  return app
}
