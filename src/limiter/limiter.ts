import { type Client, identify } from '../client/client.ts'
import type { Environment } from '../environment.ts'
import { type PathReadings, parsePath } from '../policy/path.ts'
import { isApplicable, type Policy } from '../policy/policy.ts'
import { mark } from '../response/mark.ts'
import { refuse } from '../response/refuse.ts'
import type { Demand } from '../stores/store.ts'
import { assertCheck, assertMark, assertRefuse } from './arguments.ts'
import { type Decision, decide, UNCOUNTED, UNIDENTIFIED } from './decision.ts'
import { compileOptions, type LimiterOptions } from './options.ts'

/** What a check may use besides the request. */
export interface CheckContext<Env extends object = object> {
  /** The host's bindings or variables. The store is made from those of the first request. */
  readonly env?: Env | undefined
  /**
   * Keeps work alive after the response: `(work) => ctx.waitUntil(work)` of the host. Leases are
   * then refilled, and batches sent, without a request waiting for it. Servers that keep running do
   * not need it.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /**
   * Additional paths under which the application may route the request, such as `'/hello'` for
   * `/shop/fr/hello`. A policy applies if its `match` fits any of them, or the path in the URL.
   * Called only if a policy matches by path.
   * @default only the path in the URL
   */
  readonly paths?: (() => readonly string[]) | undefined
  /**
   * The policies that have charged the request. The limiter adds each policy that charges it, and
   * no policy in the set charges it again, so that a limiter may be used twice on a request's way.
   * Keep one set for each request, in the framework's context for instance.
   * @default each check charges, also of one `Request`
   */
  readonly once?: Set<unknown> | undefined
}

/** Rate limiting for whatever handles a `Request` and answers with a `Response`. */
export interface Limiter<Env extends object = object> {
  /**
   * Counts a request and says whether it may pass. A store that is down degrades the decision and
   * does not throw. Throws what a function in the options throws, and a `ConfigError` if the
   * environment cannot work or `request` is not a `Request`.
   */
  check(request: Request, context?: CheckContext<Env>): Promise<Decision>
  /**
   * The answer to a request that may not pass: 429 with `Retry-After`, as problem+json. Throws a
   * `ConfigError` for a decision that allows the request.
   */
  refuse(decision: Decision, request?: Request): Response
  /**
   * Adds the decision's header fields to a response. Returns the same object if its headers can be
   * changed, otherwise a copy. A response that shared caches may keep gets no fields. Throws a
   * `ConfigError` if an argument is a promise.
   */
  mark(response: Response, decision: Decision): Response
}

const NO_PATH: PathReadings = []

/** Every reading of the request's path and of the additional paths. */
function readPaths({ url }: Request, { paths }: CheckContext): PathReadings {
  const path = parsePath(url)
  const more = paths?.() ?? NO_PATH
  return more.length > 0
    ? [...path, ...more.flatMap((one) => parsePath(`http://host${one}`))]
    : path
}

/**
 * Makes a limiter. Options are checked at once (`ConfigError`); nothing else happens before the
 * first request.
 */
export function createLimiter<Env extends object = object>(
  options: LimiterOptions<Env>,
): Limiter<Env> {
  const { policies, fields, storeFor } = compileOptions(options)
  const hasPaths = policies.some(({ paths }) => paths !== undefined)
  const single = policies.length === 1

  /** The way of a request, whole. */
  async function check(request: Request, context: CheckContext<Env> = {}): Promise<Decision> {
    assertCheck(request, context)
    const path = hasPaths ? readPaths(request, context) : NO_PATH
    const { once } = context
    const about = { env: context.env as Environment | undefined }
    // Policies that share a client ask it once.
    const names = single ? undefined : new Map<Client, string | undefined>()
    const counting: Policy[] = []
    const demands: Demand[] = []
    for (const policy of policies) {
      if (once?.has(policy)) continue
      const applying = isApplicable(policy, request, path)
      // The result of a synchronous `match` is not awaited, which would take time.
      if (!(typeof applying === 'boolean' ? applying : await applying)) continue
      const { name, limit, window, client, unknown } = policy
      const asked = names?.has(client) ? names.get(client) : identify(client, request, about)
      const asking = typeof asked === 'object' ? await asked : asked
      names?.set(client, asking)
      if (asking === undefined && unknown === 'refuse') return UNIDENTIFIED
      if (asking === undefined && unknown === 'pass') continue
      counting.push(policy)
      demands.push({ policy: name, client: asking ?? 'unknown', limit, window, cost: 1 })
    }
    if (demands.length === 0) return UNCOUNTED
    const decision = decide(counting, demands, await storeFor(context.env).take(demands, context))
    if (once && decision.allowed) for (const policy of counting) once.add(policy)
    return decision
  }

  return {
    check,
    refuse(decision, request) {
      assertRefuse(decision, request)
      return refuse(decision, fields, request)
    },
    mark(response, decision) {
      assertMark(response, decision)
      return mark(response, decision, fields)
    },
  }
}
