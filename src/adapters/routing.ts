import { type Environment, processEnv } from '../environment.ts'
import { createLimiter } from '../limiter/limiter.ts'
import type { LimiterOptions } from '../limiter/options.ts'
import { storeFromEnv } from '../stores/store-from-env.ts'

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

/** What a limiter takes; the store comes from the environment unless it is given. */
export type RoutingOptions = StoreOptional<LimiterOptions<Environment>>

/** Of each kind of options by itself: one policy, or a list. */
type StoreOptional<Options> = Options extends { readonly store: infer Given }
  ? Omit<Options, 'store'> & {
      /**
       * Where the counts live: a store, or a function that makes one from the variables.
       * @default storeFromEnv
       */
      readonly store?: Given | undefined
    }
  : never

/** The differences between the hosts. */
interface Host {
  /** Whether a request is passed on without being counted. */
  readonly skip?: ((request: Request) => boolean) | undefined
  /** Additional paths under which the application may route a request. */
  readonly pathsOf?: (request: Request) => readonly string[]
}

/** The middleware of Next.js and of Vercel's Routing Middleware, which share one protocol. */
export function routingMiddleware<Incoming extends Request, Event>(
  options: RoutingOptions,
  next: Middleware<Incoming, Event> = () => undefined,
  { skip, pathsOf }: Host = {},
): RoutingMiddleware<Incoming, Event> {
  const limiter = createLimiter({ ...options, store: options.store ?? storeFromEnv })
  const charged = new WeakMap<Request, Set<unknown>>()

  /** Hosts hand over an event. A test without one may call often with one request. */
  function chargedOf(request: Request): Set<unknown> {
    const policies = charged.get(request) ?? new Set()
    charged.set(request, policies)
    return policies
  }

  return async function rateLimit(request, event) {
    if (skip?.(request)) return (await next(request, event)) ?? goOn()
    const decision = await limiter.check(request, {
      env: processEnv(),
      waitUntil: waitUntilOf(event),
      paths: pathsOf && (() => pathsOf(request)),
      once: event ? chargedOf(request) : undefined,
    })
    if (!decision.allowed) return limiter.refuse(decision, request)
    const response = (await next(request, event)) ?? goOn()
    const isToldCaches = response.headers.has('cache-control')
    const marked = limiter.mark(response, decision)
    // It would replace the page's own Cache-Control, which no middleware sees.
    if (!isToldCaches && isInstruction(marked)) marked.headers.delete('cache-control')
    return marked
  }
}

/**
 * Whether a response only instructs the host to go on, so that the client gets another response.
 */
const isInstruction = ({ headers }: Response) =>
  headers.has('x-middleware-next') || headers.has('x-middleware-rewrite')

/** Both hosts hand over an event that keeps work alive; a test may hand over none. */
function waitUntilOf(event: unknown): ((work: Promise<unknown>) => void) | undefined {
  const host = event as { waitUntil?(work: Promise<unknown>): void } | undefined
  return host?.waitUntil && ((work) => host.waitUntil?.(work))
}

/**
 * "Go on to the page, and add this response's fields to its own": what `NextResponse.next()` and
 * `next()` of @vercel/functions return, without importing either.
 */
const goOn = () => new Response(null, { headers: { 'x-middleware-next': '1' } })
