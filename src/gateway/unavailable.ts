/**
 * Redis cannot be asked, or did not answer. The text has none of the words by which a client knows an
 * error of Redis itself, so that a limiter counts locally as with any store that is unreachable.
 */
export class RedisAway extends Error {
  override readonly name = 'RedisAway'
}
