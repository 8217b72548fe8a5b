import { type Environment, processEnv } from '../environment.ts'
import { createLimiter } from '../limiter/limiter.ts'
import type { LimiterOptions } from '../limiter/options.ts'

/** What stands behind the limiter: a middleware that the team has already. */
export type Middleware<Incoming extends Request, Event> = (
  request: Incoming,
  event: Event,
) => MiddlewareResult | Promise<MiddlewareResult>

// biome-ignore lint/suspicious/noConfusingVoidType: a middleware may return nothing
type MiddlewareResult = Response | null | undefined | void

/** How Next.js and Vercel call a middleware. */
export type RoutingMiddleware<Incoming extends Request, Event> = (
  request: Incoming,
  event: Event,
) => Promise<Response>

/**
 * The middleware of Next.js and of Vercel's Routing Middleware, which share one protocol. Requests
 * that `skip` picks go on uncounted.
 */
export function routingMiddleware<Incoming extends Request, Event>(
  options: LimiterOptions<Environment>,
  next: Middleware<Incoming, Event> = () => undefined,
  skip: (request: Request) => boolean = () => false,
): RoutingMiddleware<Incoming, Event> {
  const limiter = createLimiter(options)
  return async function rateLimit(request, event) {
    if (skip(request)) return (await next(request, event)) ?? goOn()
    const decision = await limiter.check(request, { env: processEnv() })
    if (!decision.allowed) return limiter.refuse(decision, request)
    return limiter.mark((await next(request, event)) ?? goOn(), decision)
  }
}

/**
 * "Go on to the page, and add this response's fields to its own": what `NextResponse.next()` and
 * `next()` of @vercel/functions return, without importing either.
 */
const goOn = () => new Response(null, { headers: { 'x-middleware-next': '1' } })
