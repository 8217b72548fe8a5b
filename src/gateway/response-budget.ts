import type { Reply } from './reply.ts'

/**
 * In bytes: what the answer to one request may hold, three times what Upstash lets one load.
 * https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded
 */
const MOST_BYTES = 32 * 1024 * 1024

const LIMIT = `max response size exceeded. Limit: ${MOST_BYTES} bytes`
const TOO_LARGE: Reply = { error: `ERR ${LIMIT}` }

/** In place of the reply of a command that was not sent any more. */
export const NOT_RUN: Reply = { error: `ERR the command was not run: ${LIMIT}` }

/** Lets replies through as long as they fit into one answer, and is then full for good. */
export interface Room {
  readonly full: boolean
  fit(reply: Reply): Reply
}

export function newRoom(): Room {
  let left = MOST_BYTES
  return {
    get full() {
      return left < 0
    },
    fit(reply) {
      left -= 'error' in reply ? reply.error.length : sizeOf(reply.value)
      return left < 0 ? TOO_LARGE : reply
    },
  }
}

/** About what a value takes in an answer: the smallest ones their comma and quotes, or `null`. */
function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOf(item), 8)
  if (Buffer.isBuffer(value)) return value.length + 8
  return value instanceof Error ? value.message.length + 8 : 8
}
