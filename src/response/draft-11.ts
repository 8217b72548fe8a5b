import type { PolicyState } from '../limiter/decision.ts'
import { type FieldWriter, policyLabel, toSeconds } from './field-writer.ts'

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: lists of quoted
 * policy names with `q` quota and `w` window, `r` remaining and `t` seconds until the window ends.
 * Appended to existing fields, so that stacked limiters all show: a list may be spread over several
 * lines (RFC 9651 §3.1).
 */
export function draft11(): FieldWriter {
  /** The item of each policy in `RateLimit-Policy`, by name. */
  const quotas = new Map<string, { limit: number; window: number; text: string }>()

  function quotaOf(policy: PolicyState): string {
    const { name, limit, window } = policy
    const known = quotas.get(name)
    if (known?.limit === limit && known.window === window) return known.text
    const text = `"${policyLabel(policy)}";q=${limit};w=${toSeconds(window)}`
    quotas.set(name, { limit, window, text })
    return text
  }

  return {
    names: ['RateLimit', 'RateLimit-Policy'],
    write(headers, policies) {
      let quotas = ''
      let states = ''
      for (const policy of policies) {
        const comma = quotas && ', '
        quotas += comma + quotaOf(policy)
        states += comma + stateOf(policy)
      }
      headers.append('RateLimit-Policy', quotas)
      headers.append('RateLimit', states)
    },
  }
}

function stateOf(policy: PolicyState): string {
  const until = policy.resetIn > 0 ? `;t=${toSeconds(policy.resetIn)}` : ''
  return `"${policyLabel(policy)}";r=${policy.remaining}${until}`
}
