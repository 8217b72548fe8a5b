import { Hono } from 'hono'
import { LIMIT, WINDOW } from './quota.ts'

/** What any middleware costs that sets three fields after the handler, and does nothing else. */
export function app(): Hono {
  const app = new Hono()
  const seconds = WINDOW / 1000
  app.use(async (c, next) => {
    await next()
    c.res.headers.append('RateLimit-Policy', `"default";q=${LIMIT};w=${seconds}`)
    c.res.headers.append('Cache-Control', 'private')
    c.res.headers.append('RateLimit', `"default";r=${LIMIT - 1};t=${seconds}`)
  })
  app.get('/', (c) => c.text('ok'))
  return app
}
