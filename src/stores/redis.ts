import { ConfigError, kindOf, show } from '../errors.ts'
import {
  type IoRedisClient,
  ioRedisCommands,
  warningOf as ofIoRedis,
} from './redis-protocol/ioredis.ts'
import {
  type NodeRedisClient,
  nodeRedisScripts,
  warningOf as ofNodeRedis,
} from './redis-protocol/node-redis.ts'
import { checkRedisOptions, type RedisStoreOptions } from './redis-protocol/redis-options.ts'
import { redisStore } from './redis-protocol/redis-store.ts'
import type { Store } from './store.ts'

export type { IoRedisClient } from './redis-protocol/ioredis.ts'
export type { NodeRedisClient } from './redis-protocol/node-redis.ts'

export type RedisOptions = RedisStoreOptions

/** Warnings already logged: some hosts create a client for each request. */
const warned = new Set<string>()

/**
 * Counts in a Redis or Valkey of your own over TCP, through a client that you made and connected:
 * ioredis, iovalkey or node-redis, whose Sentinel and Cluster clients serve too. One round trip per
 * check. Warns once if an option lets the client send a command twice.
 *
 * In a cluster all keys of a client share a slot, by the hash tag `{client}`, so that several
 * policies stay one atomic call; policies that count different clients are a `ConfigError`.
 *
 * `tidegate/redis`
 */
export function redis(client: IoRedisClient | NodeRedisClient, options: RedisOptions = {}): Store {
  const compiled = checkRedisOptions('redis', options)
  const [scripts, warning] = readClient(client)
  const cluster = 'isCluster' in client ? client.isCluster === true : 'masters' in client
  if (cluster && /[{}]/.test(compiled.prefix)) {
    throw new ConfigError(
      'prefix',
      show(compiled.prefix),
      'no braces: in a cluster they decide the slot',
    )
  }
  if (warning !== undefined && !warned.has(warning)) {
    warned.add(warning)
    console.warn(`tidegate: ${warning}`)
  }
  return redisStore(scripts, { ...compiled, cluster })
}

/** The two families are told apart by their shape: nothing is imported. */
function readClient(client: IoRedisClient | NodeRedisClient) {
  if (typeof client === 'object' && client !== null) {
    if ('evalSha' in client && [client.evalSha, client.eval, client.incrBy].every(isMethod)) {
      return [nodeRedisScripts(client), ofNodeRedis(client)] as const
    }
    if ('evalsha' in client && [client.evalsha, client.eval, client.incrby].every(isMethod)) {
      return [ioRedisCommands(client), ofIoRedis(client)] as const
    }
  }
  throw new ConfigError('redis', kindOf(client), 'a client of ioredis, iovalkey or node-redis')
}

const isMethod = (value: unknown) => typeof value === 'function'
