import { assertCount, assertOption } from '../checks.ts'
import type { RequestContext } from '../client/client.ts'

/** How many units are granted in a window. */
export interface Quota {
  /** The policy in the store's key: its name, or `<name>+<plan>` for a plan with its own key. */
  readonly name: string
  readonly limit: number
  /** In ms. */
  readonly window: number
}

/**
 * Returns the limit of a client, or the name of its plan.
 *
 * @param client what the policy's `client` returned, before it is hashed: the text, also of
 * `{ plain }`; `undefined` for an unknown client
 */
type ByClient<Result, Incoming extends Request, Host extends object> = (
  request: Incoming,
  client: string | undefined,
  context: RequestContext & Host,
) => Result | Promise<Result>

/** Returns the limit of a client. */
export type LimitFunction<
  Incoming extends Request = Request,
  Host extends object = object,
> = ByClient<number, Incoming, Host>

/** Returns the name of a client's plan. */
export type PlanFunction<
  Incoming extends Request = Request,
  Host extends object = object,
> = ByClient<string, Incoming, Host>

/**
 * What a policy grants: its own `limit`, unless `choose` is set. Then the limit is what `choose`
 * returns, or that of the plan that it names, and the policy's own `limit` is only an upper bound.
 */
export interface QuotaChoice<Incoming extends Request = Request, Host extends object = object>
  extends Quota {
  readonly choose: ByClient<unknown, Incoming, Host> | undefined
  /** By name. */
  readonly plans: ReadonlyMap<unknown, Quota> | undefined
}

/** Returns the quota of a plan, or of a limit. Errors name it `<before>plan<after>`. */
export function pickQuota(
  { name, window, plans }: QuotaChoice<never, never>,
  chosen: unknown,
  before: string,
  after: string,
): Quota {
  if (plans === undefined) {
    assertCount(`${before}limit${after}`, chosen)
    return { name, limit: chosen, window }
  }
  const quota = plans.get(chosen)
  assertOption(quota, `${before}plan${after}`, chosen, `one of ${[...plans.keys()].join(', ')}`)
  return quota
}
