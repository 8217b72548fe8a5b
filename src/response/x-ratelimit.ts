import { type FieldWriter, seconds } from './writer.ts'

/**
 * `X-RateLimit-Limit`, `-Remaining` and `-Reset` of the tightest policy. No document defines them;
 * the reset is in seconds from now, because a date would carry this machine's clock to the client.
 * They are no lists: of stacked limiters the one with the least left shows.
 */
export const xRateLimit: FieldWriter = {
  names: ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
  write(headers, _, { limit, remaining, resetIn }) {
    const present = headers.get('X-RateLimit-Remaining') ?? ''
    if (/^\d+$/.test(present) && Number(present) <= remaining) return
    headers.set('X-RateLimit-Limit', `${limit}`)
    headers.set('X-RateLimit-Remaining', `${remaining}`)
    headers.set('X-RateLimit-Reset', `${seconds(resetIn)}`)
  },
}
