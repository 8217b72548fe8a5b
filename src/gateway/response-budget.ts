import type { Reply } from './reply.ts'

/**
 * How large the response to one request may be: three times the limit of Upstash.
 * https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded
 */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024

const LIMIT = `max response size exceeded. Limit: ${MAX_RESPONSE_BYTES} bytes`
const TOO_LARGE: Reply = { error: `ERR ${LIMIT}` }

/** The reply to a command that was not sent because the response is too large already. */
export const NOT_RUN: Reply = { error: `ERR the command was not run: ${LIMIT}` }

/** How many more bytes the response to one request may hold. */
export interface ResponseBudget {
  /** Whether a reply did not fit. No later reply fits either. */
  readonly isExceeded: boolean
  /** Returns the reply if it fits, and an error reply otherwise. */
  charge(reply: Reply): Reply
}

/** A budget for one response. */
export function responseBudget(): ResponseBudget {
  let left = MAX_RESPONSE_BYTES
  return {
    get isExceeded() {
      return left < 0
    },
    charge(reply) {
      left -= 'error' in reply ? reply.error.length : sizeOf(reply.value)
      return left < 0 ? TOO_LARGE : reply
    },
  }
}

/**
 * About how many bytes a value takes in a response. 8 stand for a comma and quotes, or for `null`.
 */
function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOf(item), 8)
  if (Buffer.isBuffer(value)) return value.length + 8
  return value instanceof Error ? value.message.length + 8 : 8
}
