import { Hono } from 'hono'
import { LIMIT, WINDOW } from './quota.ts'

/** The floor: no limiter, and a handler that sets as many header fields, of the same length. */
export function app(): Hono {
  const app = new Hono()
  const seconds = WINDOW / 1000
  app.get('/', (c) => {
    c.header('RateLimit-Policy', `"default";q=${LIMIT};w=${seconds}`)
    c.header('Cache-Control', 'private')
    c.header('RateLimit', `"default";r=${LIMIT - 1};t=${seconds}`)
    return c.text('ok')
  })
  return app
}
