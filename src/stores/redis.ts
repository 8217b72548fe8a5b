import { ConfigError, show } from '../errors.ts'
import { checkRedisOptions, type RedisStoreOptions } from './redis-options.ts'
import type { ScriptClient } from './script-client.ts'
import { scriptedStore } from './scripted.ts'
import type { Store } from './store.ts'

/** A client of ioredis or iovalkey, one server's or a cluster's. */
export interface IoRedisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  incrby(key: string, units: number): Promise<unknown>
  readonly isCluster?: boolean
}

/** A client of node-redis (the package `redis`), one server's or a cluster's. */
export interface NodeRedisClient {
  evalSha(sha: string, options: ScriptOptions): Promise<unknown>
  eval(script: string, options: ScriptOptions): Promise<unknown>
  incrBy(key: string, units: number): Promise<unknown>
  /** What only a cluster's client has. */
  readonly masters?: unknown
}

interface ScriptOptions {
  keys: string[]
  arguments: string[]
}

export type RedisOptions = RedisStoreOptions

/**
 * Counts in a Redis or Valkey of your own over TCP, through a client that you made and connected:
 * ioredis, iovalkey or node-redis, whose Sentinel and Cluster clients serve too. One round trip per
 * check.
 *
 * In a cluster all keys of a client share a slot, by the hash tag `{client}`, so that several
 * policies stay one atomic call; policies that count different clients are a `ConfigError`.
 *
 * `tidegate/redis`
 */
export function redis(client: IoRedisClient | NodeRedisClient, options: RedisOptions = {}): Store {
  const compiled = checkRedisOptions('redis', options)
  const scripts = scriptsOf(client)
  if (scripts === undefined) {
    throw new ConfigError('redis', show(client), 'a client of ioredis, iovalkey or node-redis')
  }
  const cluster = 'isCluster' in client ? client.isCluster === true : 'masters' in client
  if (cluster && /[{}]/.test(compiled.prefix)) {
    throw new ConfigError(
      'prefix',
      show(compiled.prefix),
      'no braces: in a cluster they decide the slot',
    )
  }
  if (cluster && repeats(client)) console.warn(REPEATS)
  return scriptedStore(scripts, { ...compiled, cluster })
}

const REPEATS =
  'tidegate: this client of a Redis Cluster sends commands again after a failover, and each that ' +
  'arrived counts: give it retryDelayOnFailover: 0'

/** ioredis and iovalkey wait for a failover and send again, unless told not to. */
const repeats = (client: IoRedisClient | NodeRedisClient) =>
  'options' in client &&
  Number((client.options as { retryDelayOnFailover?: number } | null)?.retryDelayOnFailover) > 0

/** The two families are told apart by their shape: nothing is imported. */
function scriptsOf(client: IoRedisClient | NodeRedisClient): ScriptClient | undefined {
  if (typeof client !== 'object' || client === null) return undefined
  if ('evalSha' in client && [client.evalSha, client.eval, client.incrBy].every(isMethod)) {
    return {
      evalsha: (sha, keys, args) => client.evalSha(sha, { keys, arguments: args }),
      eval: (script, keys, args) => client.eval(script, { keys, arguments: args }),
      incrby: (key, units) => client.incrBy(key, units),
    }
  }
  if ('evalsha' in client && [client.evalsha, client.eval, client.incrby].every(isMethod)) {
    return {
      evalsha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
      incrby: (key, units) => client.incrby(key, units),
    }
  }
  return undefined
}

const isMethod = (value: unknown) => typeof value === 'function'
