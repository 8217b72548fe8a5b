import type { RedisCommands } from './redis-commands.ts'

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

/** Other members of such a client, which counting does not require. */
interface Shown {
  readonly options?: { readonly disableOfflineQueue?: boolean } | undefined
  /** Since version 5. */
  withCommandOptions?(options: { readonly abortSignal: AbortSignal }): NodeRedisClient
}

/**
 * The commands of a store, by a client of node-redis. If the caller gives up before a command is
 * sent, the command leaves the client's queue. Otherwise it would wait there for a connection, and
 * then count.
 */
export function nodeRedisScripts(client: NodeRedisClient & Shown): RedisCommands {
  const until = (abortSignal: AbortSignal | undefined): NodeRedisClient =>
    (abortSignal && client.withCommandOptions?.({ abortSignal })) ?? client
  return {
    evalsha: (sha, keys, args, options) =>
      until(options?.signal).evalSha(sha, { keys, arguments: args }),
    eval: (script, keys, args, options) =>
      until(options?.signal).eval(script, { keys, arguments: args }),
    incrby: (key, units, options) => until(options?.signal).incrBy(key, units),
  }
}

/** The warning for a client from whose queue no command can be removed. */
export const warningOf = (client: NodeRedisClient & Shown): string | undefined =>
  client.withCommandOptions || client.options?.disableOfflineQueue
    ? undefined
    : 'this Redis client sends commands of checks that have timed out, so they count: set disableOfflineQueue: true, or use version 5 of redis'
