import { type Asker, identify, type RequestContext } from '../client/client.ts'
import { isApplicable, type Policy } from '../policy/policy.ts'
import { pickQuota } from '../policy/quota.ts'
import { assertCost } from '../policy/units.ts'
import { mark } from '../response/mark.ts'
import { refuse } from '../response/refuse.ts'
import type { Demand, Store } from '../stores/store.ts'
import { assertRefusal } from './arguments.ts'
import type { CheckContext } from './check-context.ts'
import type { CompiledOptions } from './compiled-options.ts'
import { type Decision, decide, TOO_EXPENSIVE, UNCOUNTED, UNIDENTIFIED } from './decision.ts'
import { refusedBy } from './decision-listener.ts'
import { NO_PATH, readPaths } from './read-paths.ts'

/** What every limiter does with requests. Adapters need no more: they pass what a host gives. */
export interface RequestHandler<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> {
  check(request: Incoming, context?: CheckContext<Env> & Host): Promise<Decision>
  handle(
    request: Incoming,
    next: (decision: Decision) => Response | Promise<Response>,
    context?: CheckContext<Env> & Host,
  ): Promise<Response>
  refuse(
    decision: Decision,
    request: Incoming | undefined,
    context: CheckContext<Env> & Host,
  ): Response
}

/**
 * Returns the handler of requests with these options.
 *
 * @param assertArguments throws if `check` and `handle` got wrong arguments
 */
export function requestHandler<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
>(
  compiled: CompiledOptions<Env, Incoming, Host>,
  assertArguments?: (request: unknown, context: unknown) => void,
): RequestHandler<Env, Incoming, Host> {
  const { policies, fields, refusal, openStore, listener } = compiled
  const hasPaths = policies.some(({ paths }) => paths)
  const settles = policies.some(({ settle }) => settle)
  let store: Store | undefined
  type Context = CheckContext<Env> & Host

  /** Which policies count the request, for whom, and what the store grants. */
  async function check(request: Incoming, context = {} as Context): Promise<Decision> {
    assertArguments?.(request, context)
    const measured = listener?.(context)
    const path = hasPaths ? readPaths(request, context) : NO_PATH
    const { once, client: passed } = context
    const passedClient = passed === undefined ? undefined : () => passed
    const seen = context as RequestContext & Host
    // Policies that share a client function call it once.
    const askers = policies.length > 1 ? new Map<unknown, Asker | undefined>() : undefined
    const id = settles ? crypto.randomUUID() : ''
    const counting: Policy<Incoming, Host>[] = []
    const demands: Demand[] = []
    for (const policy of policies) {
      if (once?.has(policy)) continue
      const applying = isApplicable(policy, request, path, seen)
      // The result of a synchronous `match` is not awaited, which would take time.
      if (!(typeof applying === 'boolean' ? applying : await applying)) continue
      const { name, unknown, choose, cost } = policy
      const client = passedClient ?? policy.client
      const known = askers?.has(client) ? askers.get(client) : identify(client, request, seen)
      const asker = known instanceof Promise ? await known : known
      askers?.set(client, asker)
      if (asker === undefined && unknown === 'refuse') {
        return refusedBy(UNIDENTIFIED, name, 1, measured)
      }
      if (asker === undefined && unknown === 'pass') continue
      const quota = choose
        ? pickQuota(policy, await choose(request, asker?.text, seen), '', name && ` of ${name}`)
        : policy
      const { limit, window } = quota
      const units = typeof cost === 'number' ? cost : await cost(request, seen)
      if (units !== cost) assertCost(`cost${name && ` of ${name}`}`, units)
      if (units > limit) return refusedBy(TOO_EXPENSIVE, name, units, measured)
      counting.push(policy)
      demands.push({
        policy: quota.name,
        client: asker?.name ?? 'unknown',
        limit,
        window,
        cost: units,
        settling: policy.settle && id,
      })
    }
    if (demands.length === 0) return measured ? measured.end(UNCOUNTED) : UNCOUNTED
    store ??= openStore(context.env, demands)
    // Not the whole context: it may name the client, which reaches the store only as a hash.
    const { waitUntil } = context
    const grants = await store.take(demands, { waitUntil, watch: measured })
    const decided = decide(counting, demands, grants)
    if (once && decided.allowed) for (const policy of counting) once.add(policy)
    const receipt = settles ? store.receipts?.of(id, demands, grants) : undefined
    const decision = receipt ? { ...decided, receipt } : decided
    return measured ? measured.end(decision, { demands, grants, store: store.label }) : decision
  }

  /** The response of the option `refusal`, otherwise a problem. */
  function refuseBy(decision: Decision, request: Incoming | undefined, context: Context): Response {
    if (refusal === undefined || request === undefined) return refuse(decision, fields, request)
    const own = refusal(decision, request, context as RequestContext & Host)
    assertRefusal(own)
    return refuse(decision, fields, request, own)
  }

  /** Settles a receipt by the response, which does not wait for it. */
  function settle(receipt: string, response: Response, request: Incoming, context: Context): void {
    const work = store?.receipts?.settle(receipt, (name) => {
      const used = policies.find((policy) => policy.name === name)?.settle
      return used === true ? undefined : used?.(response, request, context as RequestContext & Host)
    })
    if (work) context.waitUntil?.(work)
  }

  return {
    check,
    async handle(request, next, context = {} as Context) {
      const decision = await check(request, context)
      if (!decision.allowed) return refuseBy(decision, request, context)
      const response = await next(decision)
      if (decision.receipt) settle(decision.receipt, response, request, context)
      return mark(response, decision, fields)
    },
    refuse: refuseBy,
  }
}
