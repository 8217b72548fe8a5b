import { type Client, identify, type RequestContext } from '../client/client.ts'
import { costOf, isApplicable, type Policy } from '../policy/policy.ts'
import { quotaOf } from '../policy/quota.ts'
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
  rejectNext,
} from './arguments.ts'
import type { CheckContext } from './check-context.ts'
import { type Decision, decide, TOO_EXPENSIVE, UNCOUNTED, UNIDENTIFIED } from './decision.ts'
import { type DecisionTrail, reportDecisions } from './decision-listener.ts'
import type { CompiledOptions } from './options.ts'
import { NO_PATH, readPaths } from './read-paths.ts'

/**
 * What a limiter does with requests. Adapters need no more, so the bundles of their applications
 * contain no more. `Incoming` is the framework's type of request, and `Host` what its adapter adds
 * to the context.
 */
export interface RequestLimiter<
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

/** Returns the limiter of requests with these options. */
export function requestLimiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
>(compiled: CompiledOptions<Env, Incoming, Host>): RequestLimiter<Env, Incoming, Host> {
  const { policies, fields, refusal, openStore, listener } = compiled
  const hasPaths = policies.some(({ paths }) => paths !== undefined)
  const single = policies.length === 1
  const settles = policies.some(({ settle }) => settle)
  let store: Store | undefined
  const isComputing = policies.some(({ choose }) => choose)
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
    const id = settles ? crypto.randomUUID() : ''
    const identities = isComputing ? new Map<unknown, ReturnType<Client>>() : undefined
    const counting: Policy<Incoming, Host>[] = []
    const demands: Demand[] = []
    for (const policy of policies) {
      if (once?.has(policy)) continue
      const applying = isApplicable(policy, request, path, seen)
      // The result of a synchronous `match` is not awaited, which would take time.
      if (!(typeof applying === 'boolean' ? applying : await applying)) continue
      const { name, unknown } = policy
      const client = passedClient ?? policy.client
      const asked = names?.has(client)
        ? names.get(client)
        : identify(client, request, seen, identities)
      const asking = typeof asked === 'object' ? await asked : asked
      names?.set(client, asking)
      if (asking === undefined && unknown === 'refuse') {
        if (trail) trail.refusedBy = { policy: name, cost: 1, source: 'unknown' }
        return UNIDENTIFIED
      }
      if (asking === undefined && unknown === 'pass') continue
      const quota = policy.choose
        ? await quotaOf(policy, request, identities?.get(client), seen)
        : policy
      const { limit, window } = quota
      const cost =
        typeof policy.cost === 'number' ? policy.cost : await costOf(policy, request, seen)
      if (cost > limit) {
        if (trail) trail.refusedBy = { policy: name, cost, source: 'cost' }
        return TOO_EXPENSIVE
      }
      counting.push(policy)
      const settling = policy.settle && id
      const asker = asking ?? 'unknown'
      demands.push({ policy: quota.name, client: asker, limit, window, cost, settling })
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
    return settles ? { ...decision, receipt: store.receipts?.of(id, demands, grants) } : decision
  }

  const check: typeof count = listener ? reportDecisions(count, listener) : count

  /** The response of the option `refusal`, otherwise a problem. */
  function refuseBy(decision: Decision, request: Incoming | undefined, context: Context): Response {
    if (refusal === undefined || request === undefined) return refuse(decision, fields, request)
    const response = refusal(decision, request, context as RequestContext & Host)
    assertRefusal(response)
    return refuseWith(response, decision, fields, request)
  }

  /** In the background: the response does not wait for it. */
  function settle(receipt: string, response: Response, request: Incoming, context: Context): void {
    const work = store?.receipts?.settle(receipt, (name) => {
      const used = policies.find((policy) => policy.name === name)?.settle
      return typeof used === 'function'
        ? used(response, request, context as RequestContext & Host)
        : undefined
    })
    if (work) context.waitUntil?.(work)
  }

  return {
    check,
    async handle(request, next, context = {} as Context) {
      if (typeof next !== 'function') rejectNext(next)
      const decision = await check(request, context)
      if (!decision.allowed) return refuseBy(decision, request, context)
      const response = await next(decision)
      if (!(response instanceof Response)) assertResponse('handle', response)
      if (decision.receipt) settle(decision.receipt, response, request, context)
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
