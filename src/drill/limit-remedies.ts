import { type Burst, costIn } from './burst.ts'
import type { Settings } from './options.ts'
import { formatQuota, ownQuota } from './own-quota.ts'

/** What to do if fewer requests pass than the limit allows. */
export function remedyForFewer({ answers }: Burst, settings: Settings): string {
  const cost = costIn(answers, settings)
  const byCost = `RateLimit shows ${cost} units less after each request. If the policy has a cost, add --cost ${cost}; otherwise check that the limiter runs only once for each request.`
  const interval = (settings.window * settings.cost) / settings.limit
  const spacing =
    interval > settings.maxWait
      ? ` If the limiter spaces requests, raise --max-wait to ${Math.ceil(interval / 1000)}s to see that.`
      : ''
  const others =
    'Compare the limit with the configuration of the deployment. If other clients share the address of this machine, run the drill where it has an address of its own.'
  return cost > settings.cost ? byCost : others + spacing
}

/** What to do if all requests pass. */
export function remedyForNoLimit({ answers }: Burst, settings: Settings): string {
  const last = answers.at(-1)
  if (last === undefined) return ''
  const { fields, headers } = last
  if (Number(headers.get('age')) > 0) {
    return 'A cache answers in place of the deployment (the responses have Age). Drill a path that is not cached, or turn the cache off.'
  }
  const { quotas } = fields
  if (quotas.length > 0 && ownQuota(fields, settings) === undefined) {
    const shown = quotas.map(({ limit, window }) => formatQuota(limit, window)).join(', ')
    return `RateLimit-Policy shows other policies (${shown}): no policy of ${formatQuota(settings.limit, settings.window / 1000)} matches ${settings.method} on this path. Correct the policy, or --method and --limit.`
  }
  return `Check that the limiter runs for ${settings.method} on this path, and that all isolates count in one store.`
}
