import type { ScriptClient } from './script-client.ts'

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

/** What else such a client has, which is not needed to count. */
interface Shown {
  readonly options?: { readonly disableOfflineQueue?: boolean } | undefined
  /** Since version 5. */
  withCommandOptions?(options: { readonly abortSignal: AbortSignal }): NodeRedisClient
}

/**
 * The commands of a store, by a client of node-redis. One that is not sent when the caller gives up
 * leaves the client's queue: it would wait there for a connection, and count when nobody waits for it.
 */
export function nodeRedisScripts(client: NodeRedisClient & Shown): ScriptClient {
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

/** What to tell whoever made a client whose queue nothing leaves. */
export const warningOf = (client: NodeRedisClient & Shown): string | undefined =>
  client.withCommandOptions || client.options?.disableOfflineQueue
    ? undefined
    : 'this client of Redis sends what waited for a connection long after, and each counts: give it disableOfflineQueue: true, or take version 5 of it'
