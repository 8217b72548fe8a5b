import { assertKeys } from '../checks.ts'
import { type Identity, identify, type RequestContext, storedName } from '../client/client.ts'
import { assertCost, costOf, isApplicable, type Policy } from '../policy/policy.ts'
import { headerFields } from '../response/header-fields.ts'
import { mark } from '../response/mark.ts'
import { refuse, refuseWith } from '../response/refuse.ts'
import type { Demand, Store } from '../stores/store.ts'
import {
  assertCheck,
  assertDecision,
  assertMark,
  assertRefusal,
  assertRefuse,
  assertResponse,
  rejectClient,
  rejectNext,
} from './arguments.ts'
import type { CheckContext, UnitsOptions } from './check-context.ts'
import { type Decision, decide, TOO_EXPENSIVE, UNCOUNTED, UNIDENTIFIED } from './decision.ts'
import { type DecisionTrail, reportDecisions } from './decision-listener.ts'
import { compileOptions, type LimiterOptions } from './options.ts'
import { NO_PATH, readPaths } from './read-paths.ts'

export type { CheckContext, UnitsOptions } from './check-context.ts'

/**
 * Rate limiting for any code that gets a `Request` and returns a `Response`. `Incoming` is the
 * framework's type of request, and `Host` what its adapter adds to the context.
 */
export interface Limiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> {
  /**
   * Counts a request and returns whether it may pass. A store that fails makes the decision
   * `degraded` and throws nothing. Throws what a function in the options throws, and a
   * `ConfigError` if the environment cannot work or `request` is not a `Request`.
   */
  check(request: Incoming, context?: CheckContext<Env> & Host): Promise<Decision>
  /**
   * Counts units of a client without a request, in all policies of the limiter: for server actions,
   * queues, messages of a WebSocket. `client`, `match`, `methods` and `cost` of the policies are not
   * used. A store that fails makes the decision `degraded`. Throws a `ConfigError` for a client or a
   * cost that cannot be.
   * @param client a text, of which only the hash reaches the store, or `{ plain }`
   * @example
   * const { allowed } = await limiter.take(user.id, { cost: 3 })
   */
  take(client: Identity, options?: UnitsOptions<Env>): Promise<Decision>
  /**
   * Counts a request, and returns the response of `next` with the header fields, or the refusal.
   * Calls `next` only for an allowed request. Throws what `check` and `next` throw.
   * @example
   * export const GET = (request: Request) =>
   *   limiter.handle(request, (decision) => Response.json({ left: decision.policy?.remaining }))
   */
  handle(
    request: Incoming,
    next: (decision: Decision) => Response | Promise<Response>,
    context?: CheckContext<Env> & Host,
  ): Promise<Response>
  /**
   * Returns the response to a refused request: that of the option `refusal`, otherwise 429 with a
   * problem body. Throws a `ConfigError` for a decision that allows the request, and if the option
   * `refusal` is set and `request` is missing.
   */
  refuse(decision: Decision, request?: Incoming, context?: CheckContext<Env> & Host): Response
  /**
   * Adds the decision's header fields to a response. Returns the same object if its headers can be
   * changed, otherwise a copy. A response that shared caches may keep gets no fields. Throws a
   * `ConfigError` if an argument is a promise.
   */
  mark(response: Response, decision: Decision): Response
  /**
   * Returns the decision's header fields, by names in lower case, for a framework whose response is
   * not a `Response`. With them comes `cache-control`: `private`, or `no-store` for a refusal. Do
   * not add the fields to a `public` response: a cache would show one client's quota to others. Of
   * two limiters, `response.set` keeps the fields of the last one.
   * @example
   * response.set(limiter.headers(decision))
   */
  headers(decision: Decision): Record<string, string>
}

/**
 * Makes a limiter. Options are checked at once (`ConfigError`); nothing else happens before the
 * first request.
 * @example
 * const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })
 */
export function createLimiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
>(options: LimiterOptions<Env, Incoming, Host>): Limiter<Env, Incoming, Host> {
  const { policies, fields, refusal, openStore, listener } = compileOptions(options)
  const hasPaths = policies.some(({ paths }) => paths !== undefined)
  const single = policies.length === 1
  let store: Store | undefined
  type Context = CheckContext<Env> & Host

  /** Which policies count the request, for whom, and what the store grants. */
  async function count(
    request: Incoming,
    context = {} as Context,
    trail?: DecisionTrail,
  ): Promise<Decision> {
    assertCheck(request, context)
    const path = hasPaths ? readPaths(request, context) : NO_PATH
    const { once, client: passed } = context
    const passedClient = passed === undefined ? undefined : () => passed
    const seen = context as RequestContext & Host
    // Policies that share a client ask it once.
    const names = single ? undefined : new Map<unknown, string | undefined>()
    const counting: Policy<Incoming, Host>[] = []
    const demands: Demand[] = []
    for (const policy of policies) {
      if (once?.has(policy)) continue
      const applying = isApplicable(policy, request, path, seen)
      // The result of a synchronous `match` is not awaited, which would take time.
      if (!(typeof applying === 'boolean' ? applying : await applying)) continue
      const { name, limit, window, unknown } = policy
      const client = passedClient ?? policy.client
      const asked = names?.has(client) ? names.get(client) : identify(client, request, seen)
      const asking = typeof asked === 'object' ? await asked : asked
      names?.set(client, asking)
      if (asking === undefined && unknown === 'refuse') {
        if (trail) trail.refusedBy = { policy: name, cost: 1, source: 'unknown' }
        return UNIDENTIFIED
      }
      if (asking === undefined && unknown === 'pass') continue
      const cost =
        typeof policy.cost === 'number' ? policy.cost : await costOf(policy, request, seen)
      if (cost > limit) {
        if (trail) trail.refusedBy = { policy: name, cost, source: 'cost' }
        return TOO_EXPENSIVE
      }
      counting.push(policy)
      demands.push({ policy: name, client: asking ?? 'unknown', limit, window, cost })
    }
    if (demands.length === 0) return UNCOUNTED
    store ??= openStore(context.env, demands)
    // Not the whole context: it may name the client, which reaches the store only as a hash.
    const { waitUntil } = context
    if (trail) trail.store = store.label
    const grants = await store.take(demands, { waitUntil, watch: trail?.watch })
    if (trail) trail.counted = { demands, grants }
    const decision = decide(counting, demands, grants)
    if (once && decision.allowed) for (const policy of counting) once.add(policy)
    return decision
  }

  /** Takes units of a client from all policies. */
  async function countUnits(
    client: Identity,
    options: UnitsOptions<Env> = {},
    trail?: DecisionTrail,
  ): Promise<Decision> {
    assertKeys('take', options, ['cost', 'env', 'waitUntil'])
    const { cost = 1, env, waitUntil } = options
    assertCost('take.cost', cost)
    const name = await storedName(client)
    if (name === undefined) rejectClient(client)
    const demands = policies.map(
      ({ name: policy, limit, window }): Demand => ({ policy, client: name, limit, window, cost }),
    )
    for (const { policy, limit } of demands) {
      if (cost <= limit) continue
      if (trail) trail.refusedBy = { policy, cost, source: 'cost' }
      return TOO_EXPENSIVE
    }
    store ??= openStore(env, demands)
    if (trail) trail.store = store.label
    const grants = await store.take(demands, { waitUntil, watch: trail?.watch })
    if (trail) trail.counted = { demands, grants }
    return decide(policies, demands, grants)
  }

  const check: typeof count = listener ? reportDecisions(count, listener) : count
  const take: typeof countUnits = listener ? reportDecisions(countUnits, listener) : countUnits

  /** The response of the option `refusal`, otherwise a problem. */
  function refuseBy(decision: Decision, request: Incoming | undefined, context: Context): Response {
    if (refusal === undefined || request === undefined) return refuse(decision, fields, request)
    const response = refusal(decision, request, context as RequestContext & Host)
    assertRefusal(response)
    return refuseWith(response, decision, fields, request)
  }

  return {
    check,
    take,
    async handle(request, next, context = {} as Context) {
      if (typeof next !== 'function') rejectNext(next)
      const decision = await check(request, context)
      if (!decision.allowed) return refuseBy(decision, request, context)
      const response = await next(decision)
      if (!(response instanceof Response)) assertResponse('handle', response)
      return mark(response, decision, fields)
    },
    refuse(decision, request, context = {} as Context) {
      assertRefuse(decision, request, refusal !== undefined)
      return refuseBy(decision, request, context)
    },
    mark(response, decision) {
      assertMark(response, decision)
      return mark(response, decision, fields)
    },
    headers(decision) {
      assertDecision('headers', decision)
      return headerFields(decision, fields)
    },
  }
}
