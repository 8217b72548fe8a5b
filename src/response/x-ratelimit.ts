import { type FieldWriter, toSeconds } from './field-writer.ts'

/**
 * `X-RateLimit-Limit`, `-Remaining` and `-Reset` of the tightest policy. No document defines them;
 * the reset is in seconds from now, because a date would depend on this machine's clock. They are
 * not lists: of stacked limiters the one with the least remaining units writes them.
 */
export const xRateLimit: FieldWriter = {
  names: ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
  write(headers, _, { limit, remaining, resetIn }) {
    const present = headers.get('X-RateLimit-Remaining') ?? ''
    if (/^\d+$/.test(present) && Number(present) <= remaining) return
    headers.set('X-RateLimit-Limit', `${limit}`)
    headers.set('X-RateLimit-Remaining', `${remaining}`)
    headers.set('X-RateLimit-Reset', `${toSeconds(resetIn)}`)
  },
}
