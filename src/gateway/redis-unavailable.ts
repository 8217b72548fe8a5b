/**
 * Redis cannot be reached, or did not answer. The message contains no word of Redis' own errors, so
 * that a limiter treats the store as unreachable and counts locally.
 */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable'
}
