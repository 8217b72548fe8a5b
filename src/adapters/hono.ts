import type { MiddlewareHandler } from 'hono'
import type { Environment } from '../environment.ts'
import { createLimiter } from '../limiter/limiter.ts'
import type { LimiterOptions } from '../limiter/options.ts'

/** What `rateLimit` takes: that of `createLimiter`. */
export type RateLimitOptions<Bindings extends object = Environment> = LimiterOptions<Bindings>

/**
 * Middleware for Hono, on any runtime. Refuses with 429 before the handler runs, or marks what
 * the handler returned: raw, proxied, streamed and error responses alike.
 */
export function rateLimit<Bindings extends object = Environment>(
  options: RateLimitOptions<Bindings>,
): MiddlewareHandler<{ Bindings: Bindings }> {
  const limiter = createLimiter(options)
  return async function rateLimit(c, next) {
    const decision = await limiter.check(c.req.raw, { env: c.env })
    if (!decision.allowed) return limiter.refuse(decision, c.req.raw)
    await next()
    const marked = limiter.mark(c.res, decision)
    if (marked === c.res) return
    // Hono copies the fields of the response it holds over those of the one it is given.
    c.res = undefined
    c.res = marked
  }
}
