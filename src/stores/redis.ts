import { assertOption, describeType } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { clientIdentity } from './redis-protocol/client-identity.ts'
import { nodeOf } from './redis-protocol/cluster-node.ts'
import { clusterStore } from './redis-protocol/cluster-store.ts'
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
import { compileRedisOptions, type RedisStoreOptions } from './redis-protocol/redis-options.ts'
import { redisStore } from './redis-protocol/redis-store.ts'
import type { Store } from './store.ts'

export type { IoRedisClient } from './redis-protocol/ioredis.ts'
export type { NodeRedisClient } from './redis-protocol/node-redis.ts'

export type RedisOptions = RedisStoreOptions

/** Warnings already logged: some hosts create a client for each request. */
const warned = new Set<string>()

/**
 * Counts in your own Redis or Valkey over TCP, through your client of ioredis, iovalkey or
 * node-redis, including their Sentinel and Cluster clients: one round trip per check. Logs a
 * warning once if an option lets the client send a command twice.
 *
 * In a Redis Cluster all keys of one counted client share a slot, by the hash tag `{client}`, so
 * that one atomic call counts several policies. If policies count different clients,
 * `createLimiter` throws a `ConfigError`.
 *
 * @example
 * import { Redis } from 'ioredis'
 * import { redis } from 'tidegate/redis'
 *
 * const client = new Redis('redis://127.0.0.1:6379', { autoResendUnfulfilledCommands: false })
 * const limiter = createLimiter({ limit: 100, window: '1m', store: redis(client) })
 */
export function redis(client: IoRedisClient | NodeRedisClient, options: RedisOptions = {}): Store {
  const compiled = compileRedisOptions('redis', options)
  const [scripts, warning] = readClient(client)
  const cluster = 'isCluster' in client ? client.isCluster === true : 'masters' in client
  const { prefix } = compiled
  const hasTag = cluster && /[{}]/.test(prefix)
  assertOption(!hasTag, 'prefix', prefix, 'no braces, which decide the slot in a cluster')
  if (warning !== undefined && !warned.has(warning)) {
    warned.add(warning)
    console.warn(`tidegate: ${warning}`)
  }
  return cluster
    ? clusterStore(scripts, compiled, (counted) => nodeOf(client, counted))
    : redisStore(scripts, { ...compiled, identity: clientIdentity(client, prefix) })
}

/** Recognises the client by its methods, so that no package is imported. */
function readClient(client: IoRedisClient | NodeRedisClient) {
  if (typeof client === 'object' && client !== null) {
    if ('evalSha' in client && [client.evalSha, client.eval, client.incrBy].every(isMethod)) {
      return [nodeRedisScripts(client), ofNodeRedis(client)] as const
    }
    if ('evalsha' in client && [client.evalsha, client.eval, client.incrby].every(isMethod)) {
      return [ioRedisCommands(client), ofIoRedis(client)] as const
    }
  }
  throw new ConfigError(
    'redis',
    'a client of ioredis, iovalkey or node-redis',
    describeType(client),
  )
}

const isMethod = (value: unknown) => typeof value === 'function'
