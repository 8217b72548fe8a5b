import { Hono } from 'hono'
import { Redis } from 'ioredis'
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible'
import {
  CLIENT,
  DECIDED,
  ISOLATES,
  LIMIT,
  type StorePlace,
  TIMEOUT_MS,
  WINDOW_MS,
} from '../quota.ts'

const duration = WINDOW_MS / 1000

/** Says whom it has decided for. */
class Insurance extends RateLimiterMemory {
  readonly decided = new Set<string | number>()

  override consume(key: string | number, points?: number) {
    this.decided.add(key)
    return super.consume(key, points)
  }
}

/**
 * As its guide says for a store that fails: no queue for commands without a connection, an insurance
 * in memory with the limit divided by the number of processes, and a timeout
 * (https://github.com/animir/node-rate-limiter-flexible/wiki/Insurance-Strategy).
 */
export function app({ redisUrl }: StorePlace): Hono {
  const storeClient = new Redis(redisUrl, { enableOfflineQueue: false })
  storeClient.on('error', () => {})
  const insuranceLimiter = new Insurance({ points: LIMIT / ISOLATES, duration })
  const limiter = new RLWrapperTimeouts({
    limiter: new RateLimiterRedis({
      storeClient,
      points: LIMIT,
      duration,
      rejectIfRedisNotReady: true,
    }),
    insuranceLimiter,
    timeoutMs: TIMEOUT_MS,
  })
  const app = new Hono()
  app.use(async (c, next) => {
    const client = c.req.header(CLIENT) ?? ''
    let isAllowed = true
    try {
      await limiter.consume(client)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      isAllowed = false
    }
    c.header(DECIDED, insuranceLimiter.decided.delete(client) ? 'here' : 'store')
    return isAllowed ? next() : c.text('too many', 429)
  })
  app.get('/', (c) => c.text('ok'))
  return app
}
