import { Hono } from 'hono'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { CLIENT, LIMIT, WINDOW } from './quota.ts'

/** It has no middleware for Hono, so this is the one its guide has for Express, with the same fields. */
export function app(): Hono {
  const app = new Hono()
  const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW / 1000 })
  app.use(async (c, next) => {
    try {
      const { remainingPoints, msBeforeNext } = await limiter.consume(c.req.header(CLIENT) ?? '')
      const seconds = Math.ceil(msBeforeNext / 1000)
      c.header('RateLimit-Policy', `"default";q=${LIMIT};w=${WINDOW / 1000}`)
      c.header('RateLimit', `"default";r=${remainingPoints};t=${seconds}`)
    } catch {
      return c.text('too many', 429)
    }
    return next()
  })
  app.get('/', (c) => c.text('ok'))
  return app
}
