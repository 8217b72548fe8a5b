/** For Node, Bun and Deno: the store over TCP, and requests of Node's servers: `tidegate/node`. */
import { processEnv, variablesOf } from './environment.ts'
import { resolveStore } from './stores/named-store.ts'
import { redisFromUrl } from './stores/redis-protocol/redis-url.ts'
import type { Store } from './stores/store.ts'
import { storeFromEnv as storeOverHttp } from './stores/store-from-env.ts'

export { type NodeRequest, toWebRequest } from './adapters/node-request.ts'

/**
 * Returns the store that the variables name, like `storeFromEnv` of `tidegate`, and also the Redis
 * of `REDIS_URL`, through ioredis, if the variables name no REST API. For Next.js `proxy.ts`,
 * functions on Node, and servers.
 *
 * @example
 * import { rateLimit } from 'tidegate/next'
 * import { storeFromEnv } from 'tidegate/node'
 *
 * export const proxy = rateLimit({ limit: 100, window: '1m', store: storeFromEnv })
 */
export function storeFromEnv(given: object = {}): Store {
  const named = resolveStore([variablesOf(given), processEnv()], 'REDIS_URL')
  return named?.kind === 'redis' ? redisFromUrl(named.urlName, named.url) : storeOverHttp(given)
}
