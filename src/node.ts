/** What only Node, Bun and Deno can do, since it needs sockets: `tidegate/node`. */
import { processEnv, variablesOf } from './environment.ts'
import { resolveStore } from './stores/named-store.ts'
import { redisFromUrl } from './stores/redis-protocol/redis-url.ts'
import type { Store } from './stores/store.ts'
import { storeFromEnv as storeOverHttp } from './stores/store-from-env.ts'

/**
 * As `storeFromEnv` of `tidegate`; and where that finds no store, the Redis that `REDIS_URL` names,
 * through ioredis. For Next.js `proxy.ts`, functions on Node, and servers:
 * `rateLimit({ limit: 100, window: '1m', store: storeFromEnv })`.
 */
export function storeFromEnv(given: object = {}): Store {
  const named = resolveStore([variablesOf(given), processEnv()], 'REDIS_URL')
  return named?.kind === 'redis' ? redisFromUrl(named.urlName, named.url) : storeOverHttp(given)
}
