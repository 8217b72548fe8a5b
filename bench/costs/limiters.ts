import { Ratelimit } from 'upstash-ratelimit-2.0'
import type { Limiter } from '../../src/cost/estimate.ts'
import type { Traffic } from '../../src/cost/traffic.ts'
import { createLimiter } from '../../src/limiter/limiter.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { FarRedis } from './store.ts'

/** One isolate: checks a request of a client, and waits for what is left to do. */
type Check = (client: string) => Promise<unknown>

/** Long, so that a busy machine does not look like a store that is away. */
const TIMEOUT_MS = 20_000

const nameOf = (request: Request) => ({ plain: request.headers.get('x-client') ?? '' })

/** The real limiters that `tidegate cost` compares, each as its guide sets it up. */
export const ISOLATES: Readonly<Record<Limiter, (redis: FarRedis, traffic: Traffic) => Check>> = {
  tidegate({ send }, { limit, window, lease }) {
    const client = {
      evalsha: (sha: string, keys: readonly string[], args: readonly string[]) =>
        send('EVALSHA', sha, keys.length, ...keys, ...args),
      eval: (text: string, keys: readonly string[], args: readonly string[]) =>
        send('EVAL', text, keys.length, ...keys, ...args),
      incrby: (key: string, units: number) => send('INCRBY', key, units),
    }
    const store = redisStore(client, { name: 'redis', prefix: 'ratelimit' })
    const timeout = TIMEOUT_MS
    const limiter = createLimiter({ limit, window, lease, store, client: nameOf, timeout })
    return async (name) => {
      const request = new Request('http://localhost/', { headers: { 'x-client': name } })
      const background: Promise<unknown>[] = []
      const { degraded } = await limiter.check(request, {
        waitUntil: (work) => void background.push(work),
      })
      if (degraded) throw new Error('the store did not answer')
      await Promise.all(background)
    }
  },
  /** 2.0.8, the last version that runs on a plain Redis. Newer versions send as many commands. */
  upstash({ send }, { limit, window }) {
    const redis = {
      evalsha: (sha: string, keys: readonly string[], args: readonly unknown[]) =>
        send('EVALSHA', sha, keys.length, ...keys, ...args.map(String)),
      eval: (text: string, keys: readonly string[], args: readonly unknown[]) =>
        send('EVAL', text, keys.length, ...keys, ...args.map(String)),
    }
    const limiter = new Ratelimit({
      // Of a client it calls no other method.
      redis: redis as unknown as ConstructorParameters<typeof Ratelimit>[0]['redis'],
      limiter: Ratelimit.fixedWindow(limit, `${window} ms`),
      timeout: TIMEOUT_MS,
    })
    return async (client) => {
      const { reason, pending } = await limiter.limit(client)
      if (reason === 'timeout') throw new Error('the store did not answer')
      await pending
    }
  },
  getSet({ send }, { limit, window }) {
    return async (client) => {
      const count = Number(await send('GET', client)) || 0
      if (count < limit) await send('SET', client, count + 1, 'PX', window)
    }
  },
}
