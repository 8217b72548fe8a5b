import { assertCount, assertKeys, assertOption } from '../checks.ts'
import { type Duration, parseWindow } from './duration.ts'
import { FOREIGN_NAMES } from './foreign-names.ts'
import { assertPolicyName } from './policy-name.ts'
import type { Quota } from './quota.ts'

export interface PlanOptions {
  /** Units per window. */
  readonly limit: number
  /**
   * How long a window lasts. A plan with another window than the first plan counts by itself.
   * @default the policy's `window`
   */
  readonly window?: Duration | undefined
}

/**
 * Compiles `plans`: the quota of each, by name. Errors name its options after `prefix`.
 *
 * @param shared the window of plans that have none
 */
export function compilePlans(
  prefix: string,
  name: string,
  shared: Duration | undefined,
  plans: unknown,
): ReadonlyMap<string, Quota> {
  const option = `${prefix}plans`
  let first: number | undefined
  const entries = Object.entries(Object(plans)).map(([plan, options]) => {
    assertPolicyName(option, plan)
    const at = `${option}.${plan}`
    assertKeys(at, options, ['limit', 'window'], FOREIGN_NAMES)
    const { limit, window: own = shared } = options as Partial<PlanOptions>
    assertCount(`${at}.limit`, limit)
    const window = parseWindow(`${at}.window`, own)
    first ??= window
    // No name contains a "+".
    return [plan, { name: window === first ? name : `${name}+${plan}`, limit, window }] as const
  })
  assertOption(first, option, plans, 'at least one plan')
  return new Map(entries)
}
