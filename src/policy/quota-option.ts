import { assertCount, assertKeys, assertOption } from '../checks.ts'
import { type Duration, parseWindow } from './duration.ts'
import { FOREIGN_NAMES } from './foreign-names.ts'
import { assertPolicyName } from './policy-name.ts'
import type { Quota } from './quota.ts'

export interface PlanOptions {
  /** Units per window. */
  readonly limit: number
  /**
   * How long a window lasts. If the windows of plans differ, each plan counts by itself.
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
  const entries = Object.entries(Object(plans)).map(([plan, options]) => {
    assertPolicyName(option, plan)
    const at = `${option}.${plan}`
    assertKeys(at, options, ['limit', 'window'], FOREIGN_NAMES)
    const { limit, window = shared } = options as Partial<PlanOptions>
    assertCount(`${at}.limit`, limit)
    return [plan, { name, limit, window: parseWindow(`${at}.window`, window) }] as const
  })
  const [first] = entries
  assertOption(first, option, plans, 'at least one plan')
  // No name contains a "+".
  return new Map(
    entries.every(([, { window }]) => window === first[1].window)
      ? entries
      : entries.map(([plan, quota]) => [plan, { ...quota, name: `${name}+${plan}` }]),
  )
}
