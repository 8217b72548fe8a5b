import { Redis } from 'ioredis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Contestant } from './contestant.ts'

export const rateLimiterFlexible: Contestant = {
  name: 'rate-limiter-flexible 11.4',
  short: 'flexible',
  atomic: true,
  async limit({ redisUrl }, { limit, window }) {
    const redis = new Redis(redisUrl)
    await redis.ping()
    let trips = 0
    const send = redis.sendCommand.bind(redis)
    redis.sendCommand = (...args) => {
      trips++
      return send(...args)
    }
    const limiter = new RateLimiterRedis({
      storeClient: redis,
      points: limit,
      duration: window / 1000,
    })
    return {
      async check(client) {
        try {
          await limiter.consume(client)
          return { allowed: true }
        } catch (refusal) {
          // It rejects with a result when it refuses, and with an error when it failed.
          if (!(refusal instanceof RateLimiterRes)) throw refusal
          return { allowed: false }
        }
      },
      socketTrips: () => trips,
      stop: async () => redis.disconnect(),
    }
  },
}
