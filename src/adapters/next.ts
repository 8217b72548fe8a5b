import { ConfigError, show } from '../errors.ts'
import {
  type Middleware,
  type RoutingMiddleware,
  type RoutingOptions,
  routingMiddleware,
} from './routing.ts'

export type { Middleware, RoutingMiddleware } from './routing.ts'

/** What `rateLimit` takes: that of `createLimiter`, and what concerns Next.js alone. */
export type RateLimitOptions = RoutingOptions & {
  /**
   * Lets GET requests that say they are prefetches pass uncounted: those of browsers and of the
   * Pages Router. The App Router's do not show it to a middleware and must be left out by
   * `config.matcher` (docs/next.md). Anybody can say so: for pages, never for an API.
   * @default false
   */
  readonly skipPrefetches?: boolean | undefined
}

/**
 * Middleware for Next.js: `export const middleware = rateLimit({ … })` in middleware.ts (Edge) or
 * `export const proxy = rateLimit({ … })` in proxy.ts (Node). A middleware given as `next` runs for
 * requests that may pass, and its response gets the header fields.
 *
 * `tidegate/next`, https://nextjs.org/docs/app/api-reference/file-conventions/proxy
 */
export function rateLimit<Incoming extends Request = Request, Event = unknown>(
  options: RateLimitOptions,
  next?: Middleware<Incoming, Event>,
): RoutingMiddleware<Incoming, Event> {
  const { skipPrefetches = false, ...rest } = options
  if (typeof skipPrefetches !== 'boolean') {
    throw new ConfigError('skipPrefetches', show(skipPrefetches), 'true or false')
  }
  return routingMiddleware(rest as RoutingOptions, next, skipPrefetches ? isPrefetch : undefined)
}

/** https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Purpose */
function isPrefetch({ method, headers }: Request): boolean {
  if (method !== 'GET') return false
  const purpose = headers.get('sec-purpose') ?? headers.get('purpose') ?? ''
  return /^prefetch\b/.test(purpose) || headers.has('x-middleware-prefetch')
}
