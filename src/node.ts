/** What only Node, Bun and Deno can do, since it needs sockets: `tidegate/node`. */
import { processEnv, variable, variablesOf } from './environment.ts'
import { namesRest, storeFromEnv as storeOverHttp } from './stores/env.ts'
import { redisFromUrl } from './stores/redis-protocol/redis-url.ts'
import type { Store } from './stores/store.ts'

/**
 * As `storeFromEnv` of `tidegate`; and where that finds no store, the Redis that `REDIS_URL` names,
 * through ioredis. For Next.js `proxy.ts`, functions on Node, and servers:
 * `rateLimit({ limit: 100, window: '1m', store: storeFromEnv })`.
 */
export function storeFromEnv(given: object = {}): Store {
  const environments = [variablesOf(given), processEnv()]
  const urls = environments.map((env) => variable(env, 'REDIS_URL'))
  const url = urls.find((url) => url !== undefined)
  if (url === undefined || environments.some(namesRest)) return storeOverHttp(given)
  return redisFromUrl('REDIS_URL', url)
}
