import type { PolicyState } from '../limiter/decision.ts'
import { type FieldWriter, policyLabel, toSeconds } from './field-writer.ts'

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: lists of quoted
 * policy names with `q` quota and `w` window, `r` remaining and `t` seconds until the window ends.
 * Appended to existing fields, so that stacked limiters all show: a list may be spread over several
 * lines (RFC 9651 §3.1).
 */
export function draft11(): FieldWriter {
  /** The item of each policy in `RateLimit-Policy`, by name: it is the same for each request. */
  const quotas = new Map<string, Quota>()

  function quotaOf(policy: PolicyState): Quota {
    const { name, limit, window } = policy
    const known = quotas.get(name)
    if (known?.limit === limit && known.window === window) return known
    const label = `"${policyLabel(policy)}"`
    const text = `${label};q=${limit};w=${toSeconds(window)}`
    const quota = { limit, window, label, text }
    quotas.set(name, quota)
    return quota
  }

  return {
    names: ['RateLimit', 'RateLimit-Policy'],
    write(headers, policies) {
      let texts = ''
      let states = ''
      for (const policy of policies) {
        const { remaining, resetIn } = policy
        const { label, text } = quotaOf(policy)
        const comma = texts && ', '
        const until = resetIn > 0 ? `;t=${toSeconds(resetIn)}` : ''
        texts += comma + text
        states += `${comma}${label};r=${remaining}${until}`
      }
      headers.append('RateLimit-Policy', texts)
      headers.append('RateLimit', states)
    },
  }
}

interface Quota {
  readonly limit: number
  readonly window: number
  readonly label: string
  readonly text: string
}
