import { type Environment, processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { compileOptions } from '../limiter/compiled-options.ts'
import { type Decision, UNCOUNTED } from '../limiter/decision.ts'
import type { LimiterOptions } from '../limiter/limiter-options.ts'
import { requestHandler } from '../limiter/request-handler.ts'
import { storeFromEnv } from '../stores/store-from-env.ts'

/** A middleware that runs after the limiter, for allowed requests. */
export type Middleware<Incoming extends Request, Event> = (
  request: Incoming,
  event: Event,
  decision: Decision,
) => MiddlewareResult | Promise<MiddlewareResult>

// biome-ignore lint/suspicious/noConfusingVoidType: a middleware may return nothing
type MiddlewareResult = Response | null | undefined | void

/** A middleware as Next.js and Vercel call it. */
export type RoutingMiddleware<Incoming extends Request, Event> = (
  request: Incoming,
  event: Event,
) => Promise<Response>

/** The options of a limiter. `store` is optional. */
export type RoutingOptions<Incoming extends Request = Request> = StoreOptional<
  LimiterOptions<Environment, Incoming>
>

/** Distributes over the kinds of options, one policy or a list. */
type StoreOptional<Options> = Options extends { readonly store: infer Given }
  ? Omit<Options, 'store'> & {
      /**
       * Where the counts are kept: a store, or a function that makes one from the variables.
       * @default storeFromEnv
       */
      readonly store?: Given | undefined
    }
  : never

/** The differences between Next.js and Vercel. */
interface Host {
  /** Whether a request is passed on without being counted. */
  readonly skip?: ((request: Request) => boolean) | undefined
  /** Additional paths under which the application may route a request. */
  readonly pathsOf?: (request: Request) => readonly string[]
}

/** The middleware of Next.js and of Vercel's Routing Middleware, which share one protocol. */
export function routingMiddleware<Incoming extends Request, Event>(
  options: RoutingOptions<Incoming>,
  next: Middleware<Incoming, Event> = () => undefined,
  { skip, pathsOf }: Host = {},
): RoutingMiddleware<Incoming, Event> {
  const compiled = compileOptions({ ...options, store: options.store ?? storeFromEnv })
  if (compiled.policies.some(({ settle }) => typeof settle === 'function')) {
    const want = 'true, since middleware does not see the response of the page'
    throw new ConfigError('settle', want, 'a function')
  }
  const { handle } = requestHandler(compiled)
  const charged = new WeakMap<Request, Set<unknown>>()

  /** Used only with an event, which hosts pass. A test may call several times with one request. */
  function chargedOf(request: Request): Set<unknown> {
    const policies = charged.get(request) ?? new Set()
    charged.set(request, policies)
    return policies
  }

  const respond = async (request: Incoming, event: Event, decision: Decision) =>
    (await next(request, event, decision)) ?? continueToPage()

  return async function rateLimit(request, event) {
    if (skip?.(request)) return respond(request, event, UNCOUNTED)
    let hasCacheControl = true
    const response = await handle(
      request,
      async (decision) => {
        const unmarked = await respond(request, event, decision)
        hasCacheControl = unmarked.headers.has('cache-control')
        return unmarked
      },
      {
        env: processEnv(),
        waitUntil: waitUntilOf(event),
        paths: pathsOf && (() => pathsOf(request)),
        once: event ? chargedOf(request) : undefined,
      },
    )
    // The field would replace the Cache-Control of the page, which the middleware cannot see.
    if (!hasCacheControl && isInstruction(response)) response.headers.delete('cache-control')
    return response
  }
}

/** Whether a response only tells the host to continue, so that the client gets another response. */
const isInstruction = ({ headers }: Response) =>
  headers.has('x-middleware-next') || headers.has('x-middleware-rewrite')

/** Both hosts pass an event that keeps work alive. A test may pass no event. */
function waitUntilOf(event: unknown): ((work: Promise<unknown>) => void) | undefined {
  const host = event as { waitUntil?(work: Promise<unknown>): void } | undefined
  return host?.waitUntil && ((work) => host.waitUntil?.(work))
}

/**
 * Tells the host to continue with the page, and to add the fields of this response. The same as
 * `NextResponse.next()` and `next()` of @vercel/functions, without an import.
 */
const continueToPage = () => new Response(null, { headers: { 'x-middleware-next': '1' } })
