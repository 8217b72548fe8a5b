import { type FieldWriter, nameOf, seconds } from './writer.ts'

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: lists of quoted
 * policy names with `q` quota and `w` window, `r` remaining and `t` seconds until more can be had.
 * Appended, since a list may be spread over lines (RFC 9651 §3.1): stacked limiters all show.
 */
export const draft11: FieldWriter = {
  names: ['RateLimit', 'RateLimit-Policy'],
  write(headers, policies) {
    const items = policies.map((policy) => {
      const name = `"${nameOf(policy)}"`
      const until = policy.resetIn > 0 ? `;t=${seconds(policy.resetIn)}` : ''
      return {
        policy: `${name};q=${policy.limit};w=${seconds(policy.window)}`,
        state: `${name};r=${policy.remaining}${until}`,
      }
    })
    headers.append('RateLimit-Policy', items.map(({ policy }) => policy).join(', '))
    headers.append('RateLimit', items.map(({ state }) => state).join(', '))
  },
}
