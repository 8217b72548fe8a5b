import type { MakeRule } from '../isolate.ts'
import { type Counter, type Counters, counters } from './counters.ts'

/** A script for every request, refused ones as well, that counts in one key with an expiry. */
const scriptPerCheck =
  (count: (redis: Counters, key: string, window: number) => Counter): MakeRule =>
  ({ limit, window, now, books }) => {
    const redis = counters(now)
    return {
      billed: redis.billed,
      start:
        ({ call }) =>
        (ask) =>
          call(() => {
            redis.script()
            const counter = count(redis, ask.client, window)
            const allowed = counter.count <= limit
            if (allowed) books.counted(ask, counter)
            else books.full(ask, counter)
            return allowed
          }),
    }
  }

/** hono-rate-limiter with its RedisStore. */
export const honoRateLimiter = scriptPerCheck((redis, key, window) => {
  const counter = redis.incr(key)
  if (redis.pttl(key) < 0) redis.pexpire(key, window)
  return counter
})

/** rate-limiter-flexible with its RateLimiterRedis. */
export const rateLimiterFlexible = scriptPerCheck((redis, key, window) => {
  redis.set(key, 0, window, 'nx')
  const counter = redis.incr(key)
  redis.pttl(key)
  return counter
})
