import { type Client, identify } from '../client/client.ts'
import { variablesOf } from '../environment.ts'
import { parsePath } from '../policy/path.ts'
import { applies, type Policy } from '../policy/policy.ts'
import { mark } from '../response/mark.ts'
import { refuse } from '../response/refuse.ts'
import { type Counted, type Decision, decide, UNCOUNTED, UNIDENTIFIED } from './decision.ts'
import { compileOptions, type LimiterOptions } from './options.ts'

/** What a check may use besides the request. */
export interface CheckContext<Env extends object = object> {
  /** The host's bindings or variables. The store is made from those of the first request. */
  readonly env?: Env | undefined
  /** Keeps work alive after the response. Nothing needs it yet. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

/** Rate limiting for whatever handles a `Request` and answers with a `Response`. */
export interface Limiter<Env extends object = object> {
  /**
   * Counts a request and says whether it may pass. A store that is down degrades the decision and
   * does not throw. Throws what a function in the options throws, and a `ConfigError` if the
   * environment cannot work.
   */
  check(request: Request, context?: CheckContext<Env>): Promise<Decision>
  /** The answer to a request that may not pass: 429 with `Retry-After`, as problem+json. */
  refuse(decision: Decision, request?: Request): Response
  /** The response with the decision's header fields; the same object where it can be changed. */
  mark(response: Response, decision: Decision): Response
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

  /** The way of a request, whole. */
  async function check(request: Request, context: CheckContext<Env> = {}): Promise<Decision> {
    const path = hasPaths ? parsePath(request.url) : []
    const matching = policies.filter((policy) => applies(policy, request, path))
    const counted = await whoAsks(matching, request, context.env)
    if (counted === 'refused') return UNIDENTIFIED
    if (counted.length === 0) return UNCOUNTED
    const grants = await storeFor(context.env).take(counted.map(({ demand }) => demand))
    return decide(counted, grants)
  }

  return {
    check,
    refuse: (decision, request) => refuse(decision, fields, request),
    mark: (response, decision) => mark(response, decision, fields),
  }
}

/** Each policy with its demand for the client it counts; policies that share one ask it once. */
async function whoAsks(
  policies: readonly Policy[],
  request: Request,
  env: object | undefined,
): Promise<readonly Counted[] | 'refused'> {
  const context = { env: env && variablesOf(env) }
  const names = new Map<Client, string | undefined>()
  const counted: Counted[] = []
  for (const policy of policies) {
    const { client, unknown, name, limit, window } = policy
    if (!names.has(client)) names.set(client, await identify(client, request, context))
    const asking = names.get(client) ?? (unknown === 'share' ? 'unknown' : undefined)
    if (asking !== undefined) {
      counted.push({ policy, demand: { policy: name, client: asking, limit, window, cost: 1 } })
    } else if (unknown === 'refuse') {
      return 'refused'
    }
  }
  return counted
}
