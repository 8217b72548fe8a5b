import { DEFAULT_LABEL, type FieldWriter, toSeconds } from './field-writer.ts'

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: lists of quoted
 * policy names with `q` quota and `w` window, `r` remaining and `t` seconds until the window ends.
 * Appended to existing fields, so that stacked limiters all show: a list may be spread over several
 * lines (RFC 9651 §3.1).
 */
export const draft11: FieldWriter = {
  names: ['RateLimit', 'RateLimit-Policy'],
  write(headers, policies) {
    let quotas = ''
    let states = ''
    for (const policy of policies) {
      const { limit, window, remaining, resetIn } = policy
      const item = `${quotas && ', '}"${policy.name || DEFAULT_LABEL}"`
      quotas += `${item};q=${limit};w=${toSeconds(window)}`
      states += `${item};r=${remaining}${resetIn > 0 ? `;t=${toSeconds(resetIn)}` : ''}`
    }
    headers.append('RateLimit-Policy', quotas)
    headers.append('RateLimit', states)
  },
}
