import type { Refusal, Reply } from './reply.ts'
import { RedisAway } from './unavailable.ts'

/** What Redis answered. In a list, as that of a transaction, its refusals are values. */
export const toReply = (value: unknown): Reply =>
  value instanceof Error ? { error: value.message } : { value }

/**
 * A refusal of Redis is an answer. That it is still loading, or has lost its master, is none: both
 * pass by themselves, as an outage does.
 */
export function toFailure(error: unknown): Refusal {
  if (!isRefusal(error)) throw error
  if (!/^(LOADING|MASTERDOWN)\b/.test(error.message)) return { error: error.message }
  throw new RedisAway('Redis is not ready yet, try again later')
}

/** ioredis has no type for the errors that Redis itself answered. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'
