import {
  type Middleware,
  type RoutingMiddleware,
  type RoutingOptions,
  routingMiddleware,
} from './routing.ts'

export type { Decision, PolicyState } from '../limiter/decision.ts'
export type { Middleware, RoutingMiddleware } from './routing.ts'

/** The options of `rateLimit`: those of `createLimiter`, with the project's variables as `env`. */
export type RateLimitOptions<Incoming extends Request = Request> = RoutingOptions<Incoming>

/**
 * Vercel Routing Middleware, for a project of any framework: the default export of `middleware.ts`
 * at its root. A middleware given as `next` runs for allowed requests, and gets the decision as
 * third argument. Vercel applies the project's rewrites later, so a policy's `match` is compared
 * with the path that the client sent.
 *
 * `tidegate/vercel`, https://vercel.com/docs/routing-middleware
 * @example
 * export default rateLimit({ limit: 100, window: '1m' })
 */
export function rateLimit<Incoming extends Request = Request, Event = unknown>(
  options: RateLimitOptions<Incoming>,
  next?: Middleware<Incoming, Event>,
): RoutingMiddleware<Incoming, Event> {
  return routingMiddleware(options, next)
}
