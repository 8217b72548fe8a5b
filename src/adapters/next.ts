import { assertBoolean } from '../checks.ts'
import {
  type Middleware,
  type RoutingMiddleware,
  type RoutingOptions,
  routingMiddleware,
} from './routing.ts'

export type { Decision, PolicyState } from '../limiter/decision.ts'
export type { Middleware, RoutingMiddleware } from './routing.ts'

/** The options of `rateLimit`: those of `createLimiter`, and one for Next.js only. */
export type RateLimitOptions<Incoming extends Request = Request> = RoutingOptions<Incoming> & {
  /**
   * Does not count prefetches: GET requests with the prefetch header of browsers or of the Pages
   * Router. A middleware cannot see the prefetch header of the App Router: exclude those requests
   * with `config.matcher` (docs/next.md). Any client can send the header: use it for pages, not for
   * an API.
   * @default false
   */
  readonly skipPrefetches?: boolean | undefined
}

/**
 * Middleware for Next.js: `export const middleware = rateLimit({ … })` in middleware.ts (Edge) or
 * `export const proxy = rateLimit({ … })` in proxy.ts (Node). A middleware given as `next` runs for
 * allowed requests, and its response gets the header fields. It gets the decision as third
 * argument; for a skipped prefetch, that of a request which no policy counts.
 *
 * `tidegate/next`, https://nextjs.org/docs/app/api-reference/file-conventions/proxy
 * @example
 * export const proxy = rateLimit({
 *   limit: 100,
 *   window: '1m',
 *   client: (request: NextRequest) => request.cookies.get('session')?.value,
 * })
 */
export function rateLimit<Incoming extends Request = Request, Event = unknown>(
  options: RateLimitOptions<Incoming>,
  next?: Middleware<Incoming, Event>,
): RoutingMiddleware<Incoming, Event> {
  const { skipPrefetches = false, ...rest } = options
  assertBoolean('skipPrefetches', skipPrefetches)
  const skip = skipPrefetches ? isPrefetch : undefined
  return routingMiddleware(rest as RoutingOptions<Incoming>, next, { skip, pathsOf })
}

/** The part of `NextRequest` that contains the path by which Next.js routes a request. */
interface NextUrl {
  readonly pathname: string
  readonly origin: string
  href: string
  clone(): NextUrl
}

/** The path of a page's data, which a middleware sees only with `skipProxyUrlNormalize`. */
const DATA = /^\/_next\/data\/[^/]+(\/.*)\.json$/

/**
 * Returns the path as `config.matcher` sees it: without `basePath`, locale and
 * `/_next/data/<build>`.
 *
 * If an app has both a base path and locales, Next.js 16 changes `/shop/fr/hello` to
 * `/fr/shop/fr/hello`. `nextUrl.pathname` is then `/shop/fr/hello`, and must be parsed again to get
 * `/hello`.
 */
function pathsOf(request: Request): readonly string[] {
  const { nextUrl } = request as { readonly nextUrl?: NextUrl }
  if (nextUrl === undefined) return []
  const { pathname, origin } = nextUrl
  const again = nextUrl.clone()
  again.href = `${origin}${pathname.replace(DATA, (_, page) => (page === '/index' ? '/' : page))}`
  return [...new Set([pathname, again.pathname])]
}

/** https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Purpose */
function isPrefetch({ method, headers }: Request): boolean {
  if (method !== 'GET') return false
  const purpose = headers.get('sec-purpose') ?? headers.get('purpose') ?? ''
  return /^prefetch\b/.test(purpose) || headers.has('x-middleware-prefetch')
}
