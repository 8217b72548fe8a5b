import type { Context, MiddlewareHandler, Next } from 'hono'
import { detectPlatform } from '../environment.ts'
import type { CheckContext } from '../limiter/check-context.ts'
import { compileOptions } from '../limiter/compiled-options.ts'
import type { Decision } from '../limiter/decision.ts'
import type { LimiterOptions } from '../limiter/limiter-options.ts'
import { requestHandler } from '../limiter/request-handler.ts'
import { removeCacheFields } from '../response/cache-control.ts'

export type { Decision, PolicyState } from '../limiter/decision.ts'

/** The options of `rateLimit`: those of `createLimiter`. */
export type RateLimitOptions<Bindings extends object = object> = LimiterOptions<
  Bindings,
  Request,
  HonoHost
>

/** What the context of the functions `client`, `match` and `refusal` contains besides. */
export interface HonoHost {
  /** Hono's context. For typed variables declare it: `(_, { c }: { c: Context<AppEnv> }) => …`. */
  readonly c: Context
}

/** What the middleware sets for later handlers: `new Hono<{ Variables: RateLimitVariables }>()`. */
export interface RateLimitVariables {
  /** The decision of the last limiter that counted the request. */
  rateLimit: Decision
}

/**
 * Middleware for Hono, on any runtime. Refuses with 429 before the handler runs. Otherwise adds the
 * header fields to the handler's response, including raw, proxied, streamed and error responses.
 * Handlers find the decision in `c.get('rateLimit')`.
 *
 * Charges a request once, also if an app and its sub-app use the same middleware. A policy's
 * `match` is compared with the path that the client sent, and with the path without the base of the
 * app in which the middleware is used (`basePath()`, `route()`; Hono 4.8 and later). An app under
 * `mount()` gets a new request without the mount's path: there the middleware does not see the path
 * that the client sent, and charges the request again if it is also used outside of the mount.
 *
 * Use Hono's `cache()` after this middleware. Used before, `cache()` does not count its hits, and
 * stores no response: those with `RateLimit` fields become `private`, unless the handler sets
 * `public` or the fields are off (`headers: []`).
 *
 * `tidegate/hono`, https://hono.dev/docs/guides/middleware
 * @example
 * app.use('/api/*', rateLimit({ limit: 100, window: '1m', store: storeFromEnv }))
 */
export function rateLimit<Bindings extends object = object>(
  options: RateLimitOptions<Bindings>,
): MiddlewareHandler<{ Bindings: Bindings; Variables: RateLimitVariables }> {
  const { handle } = requestHandler(compileOptions(options))
  let hasContext = true

  /** Hono throws on hosts without this context, which is slow. So servers try it only once. */
  function waitUntilOf(c: Context): CheckContext['waitUntil'] {
    try {
      const context = hasContext ? c.executionCtx : undefined
      return context && ((work) => context.waitUntil(work))
    } catch {
      hasContext = detectPlatform() !== 'server'
      return undefined
    }
  }

  return async function rateLimit(c: Context, next: Next) {
    const once: Set<unknown> = c.get(CHARGED) ?? new Set()
    c.set(CHARGED, once)
    let isAllowed = false
    const response = await handle(
      c.req.raw,
      async (decision) => {
        isAllowed = true
        // A limiter that counted nothing hides no decision of one before it.
        if (decision.source !== 'none' || !c.get('rateLimit')) c.set('rateLimit', decision)
        await next()
        return c.res
      },
      { env: c.env, waitUntil: waitUntilOf(c), paths: () => pathsOf(c), once, c },
    )
    if (!isAllowed) return refuse(c, response)
    if (response === c.res) return
    // Otherwise Hono would copy its current fields over those of this limiter.
    c.res = undefined
    c.res = response
  }
}

/**
 * Makes a refusal the response of a request, beside what earlier middleware has set, such as
 * cookies and the fields of `cors()`.
 */
function refuse(c: Context, refusal: Response): Response {
  const earlier: Headers = c.res.headers
  for (const name of ['Access-Control-Expose-Headers', 'Vary']) {
    const value = earlier.get(name)
    if (value && !refusal.headers.get(name)?.includes(value)) refusal.headers.append(name, value)
  }
  const cookies = refusal.headers.has('Set-Cookie')
    ? new Set([...earlier.getSetCookie(), ...refusal.headers.getSetCookie()])
    : undefined
  // Hono copies the fields of its current response over the fields of the new response.
  for (const name of refusal.headers.keys()) earlier.delete(name)
  removeCacheFields(earlier)
  // Before 4.13.16, `some` of hono/combine loses a response that is not set here (hono#5391).
  c.res = refusal
  if (cookies) {
    c.res.headers.delete('Set-Cookie')
    for (const cookie of cookies) c.res.headers.append('Set-Cookie', cookie)
  }
  return c.res
}

/** Where Hono's context keeps the policies that have charged a request: a set. */
const CHARGED = 'tidegate.charged'

/**
 * Returns the path by which Hono routes a request, which the app's `getPath` may have changed, and
 * the path without the base of the app in which the limiter is used. Removes the base by its number
 * of segments, since it may contain parameters. A parameter with a pattern (`/:path{.+}`) may match
 * any number of segments.
 */
function pathsOf({ req }: Context): readonly string[] {
  // Hono before 4.8 has no `basePath` here. `matchedRoutes` is deprecated, but its replacement
  // would be the only module of Hono that this adapter imports.
  const base: string = req.matchedRoutes[req.routeIndex]?.basePath ?? ''
  const depth = base.split('/').filter(Boolean).length
  if (depth === 0) return [req.path]
  const segments = req.path.split('/')
  const below = (from: number) => `/${segments.slice(from + 1).join('/')}`
  if (!base.includes('{')) return [req.path, below(depth)]
  const depths = segments.map((_, index) => index)
  const isTried = (at: number) => at < MAX_DEPTHS || at >= depths.length - MAX_DEPTHS
  return [req.path, ...depths.filter(isTried).map(below)]
}

/** How many of the shortest, and of the longest, bases are tried if its length is not known. */
const MAX_DEPTHS = 20
