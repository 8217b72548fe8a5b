import { pickQuota, type Quota, type QuotaChoice } from './quota.ts'

/** What a caller without a request names, for policies that need it. */
export interface PassedQuota {
  /**
   * The client's plan, for policies with `plans`, which require it.
   * @default none
   */
  readonly plan?: string | undefined
  /**
   * The client's limit, for policies whose `limit` is a function, which require it.
   * @default none
   */
  readonly limit?: number | undefined
}

/**
 * Returns the quota of a call without a request, which names the plan or the limit itself.
 *
 * @param method the caller's name, for the `ConfigError` if what a policy needs is missing or wrong
 */
export const quotaFor = (
  choice: QuotaChoice<never, never>,
  { plan, limit }: PassedQuota,
  method: string,
): Quota =>
  choice.choose ? pickQuota(choice, choice.plans ? plan : limit, `${method}.`, '') : choice

/** Returns what the policy is called in the store's keys, once for each key. */
export const keysOf = ({ name, plans }: QuotaChoice<never, never>): ReadonlySet<string> =>
  new Set(plans ? [...plans.values()].map((quota) => quota.name) : [name])
