import type { Context, MiddlewareHandler } from 'hono'
import { detectPlatform } from '../environment.ts'
import { type CheckContext, createLimiter } from '../limiter/limiter.ts'
import type { LimiterOptions } from '../limiter/options.ts'

/** What `rateLimit` takes: that of `createLimiter`. */
export type RateLimitOptions<Bindings extends object = object> = LimiterOptions<Bindings>

/**
 * Middleware for Hono, on any runtime. Refuses with 429 before the handler runs, or marks what the
 * handler returned: raw, proxied, streamed and error responses alike.
 *
 * Charges a request once, also where one middleware is used for an app and again in its sub-app. A
 * policy's `match` fits the path as it was sent, and without the base of the app in which the
 * middleware is used (`basePath()`, `route()`; Hono 4.8 and later). An app under `mount()` gets a
 * new request without the mount's path: there the path as sent cannot be seen, and a middleware
 * that is used outside too charges again.
 *
 * Use Hono's `cache()` behind it. Around it `cache()` stores nothing, since a response with `RateLimit`
 * fields becomes `private`, unless the handler sets `public` or the fields are off (`headers: []`);
 * and its hits are not counted.
 */
export function rateLimit<Bindings extends object = object>(
  options: RateLimitOptions<Bindings>,
): MiddlewareHandler<{ Bindings: Bindings }> {
  const limiter = createLimiter(options)
  let hasContext = true

  /** Hono throws where there is no such context, which is dear: on servers it is tried once. */
  function waitUntilOf(c: Context): CheckContext['waitUntil'] {
    try {
      const context = hasContext ? c.executionCtx : undefined
      return context && ((work) => context.waitUntil(work))
    } catch {
      hasContext = detectPlatform() !== 'server'
      return undefined
    }
  }

  return async function rateLimit(c, next) {
    const decision = await limiter.check(c.req.raw, {
      env: c.env,
      waitUntil: waitUntilOf(c),
      paths: () => pathsOf(c),
      once: chargedOf(c),
    })
    if (!decision.allowed) {
      const refusal = limiter.refuse(decision, c.req.raw)
      // Hono copies the fields of the response it holds, which a cors() before us has filled, over
      // those of the one that is returned.
      const exposed = c.res.headers.get('Access-Control-Expose-Headers')
      if (exposed) refusal.headers.append('Access-Control-Expose-Headers', exposed)
      for (const name of refusal.headers.keys()) c.res.headers.delete(name)
      // Before 4.13.16 the `some` of hono/combine loses a response that is only returned (hono#5391).
      c.res = refusal
      return c.res
    }
    await next()
    const marked = limiter.mark(c.res, decision)
    if (marked === c.res) return
    // The same copying would take the fields of an outer limiter from this one's.
    c.res = undefined
    c.res = marked
  }
}

/** The policies that have charged a request: a set in Hono's context, under a name of our own. */
function chargedOf(c: Context): Set<unknown> {
  const known: Set<unknown> | undefined = c.get('tidegate.charged')
  if (known) return known
  const charged = new Set()
  c.set('tidegate.charged', charged)
  return charged
}

/**
 * The path by which Hono routes a request (a `getPath` of the app's own may change it), and without
 * the base of the app in which the limiter is used. Segments are counted, since a base may hold
 * parameters; one with a pattern (`/:path{.+}`) may hold any number of them.
 */
function pathsOf({ req }: Context): readonly string[] {
  // Hono before 4.8 has no `basePath` here. The helper that replaces the deprecated `matchedRoutes`
  // would be the one module of Hono that this adapter imports.
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

/** How many bases, and how many rests, are tried where a pattern leaves the base's length open. */
const MAX_DEPTHS = 20
