import { RedisUnavailable } from './redis-unavailable.ts'

/** The reply to one command. In a value, texts are bytes and integers are strings of digits. */
export type Reply = { readonly value: unknown } | ErrorReply

/** An error reply of Redis, or of the gateway in its place. */
export interface ErrorReply {
  readonly error: string
}

/** A result of ioredis as a reply. In the list of a transaction, error replies are values. */
export const toReply = (value: unknown): Reply =>
  value instanceof Error ? { error: value.message } : { value }

/**
 * An error that ioredis threw as a reply. Throws `RedisUnavailable` for LOADING and MASTERDOWN,
 * which pass by themselves as an outage does. Throws every error that Redis did not reply.
 */
export function toErrorReply(error: unknown): ErrorReply {
  if (!isReplyError(error)) throw error
  if (!/^(LOADING|MASTERDOWN)\b/.test(error.message)) return { error: error.message }
  throw new RedisUnavailable('Redis is not ready yet, try again later')
}

/** Whether Redis replied this error. ioredis exports no type for such errors. */
export const isReplyError = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'
