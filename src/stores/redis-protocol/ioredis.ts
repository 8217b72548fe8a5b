import type { RedisCommands } from './redis-commands.ts'

/** A client of ioredis or iovalkey, one server's or a cluster's. */
export interface IoRedisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  incrby(key: string, units: number): Promise<unknown>
  readonly isCluster?: boolean
}

/** Other members of such a client, which counting does not require. */
interface Shown {
  readonly status?: string
  readonly options?: {
    readonly enableOfflineQueue?: boolean
    readonly enableAutoPipelining?: boolean
    readonly autoResendUnfulfilledCommands?: boolean
    readonly retryDelayOnFailover?: number
  }
  connect?(): Promise<unknown>
  on?(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  pipeline?(commands: readonly (readonly (string | number)[])[]): {
    exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>
  }
}

/** The commands of a store, by a client of ioredis or iovalkey. */
export function ioRedisScripts(client: IoRedisClient & Shown): RedisCommands {
  const ready = readiness(client)
  const send = pipelined(client)
  return {
    evalsha: async (sha, keys, args, options) => {
      await ready(options?.signal)
      return send
        ? send(['evalsha', sha, keys.length, ...keys, ...args])
        : client.evalsha(sha, keys.length, ...keys, ...args)
    },
    eval: async (script, keys, args, options) => {
      await ready(options?.signal)
      return send
        ? send(['eval', script, keys.length, ...keys, ...args])
        : client.eval(script, keys.length, ...keys, ...args)
    },
    incrby: async (key, units, options) => {
      await ready(options?.signal)
      return client.incrby(key, units)
    },
  }
}

/**
 * In a cluster, ioredis up to 5.10 and iovalkey choose the automatic pipeline of a script by the
 * slot of its first argument, which is the hash. Scripts of different slots then share a pipeline,
 * which fails. An explicit pipeline goes by the key.
 */
function pipelined(client: IoRedisClient & Shown) {
  if (!client.isCluster || !client.options?.enableAutoPipelining) return undefined
  return async (command: readonly (string | number)[]): Promise<unknown> => {
    const [[error, answer] = [null, undefined]] = (await client.pipeline?.([command]).exec()) ?? []
    if (error) throw error
    return answer
  }
}

/**
 * Waits for the connection, and throws when the caller gives up. In the client's own queue, a
 * command would stay and count after its caller gave up. With `enableOfflineQueue: false` a command
 * fails at once instead, except while the client connects for the first time.
 */
function readiness(client: IoRedisClient & Shown) {
  const queues = client.options?.enableOfflineQueue !== false
  const waiting = new Set<() => void>()
  let listens = false
  let first = true

  const isAway = ({ status } = client) =>
    status !== undefined && status !== 'ready' && status !== 'end' && (queues || first)

  function listen() {
    listens = true
    const wake = () => {
      first = false
      for (const go of [...waiting]) go()
    }
    for (const event of ['ready', 'close', 'end'] as const) client.on?.(event, wake)
  }

  const next = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const go = () => {
        waiting.delete(go)
        signal.removeEventListener('abort', go)
        resolve()
      }
      waiting.add(go)
      signal.addEventListener('abort', go)
    })

  return async (signal: AbortSignal | undefined): Promise<void> => {
    // Without a signal, the client decides how long to wait.
    if (signal === undefined) return
    if (isAway()) {
      if (!listens) listen()
      if (client.status === 'wait') client.connect?.().catch(() => {})
      while (isAway() && !signal.aborted) await next(signal)
    }
    signal.throwIfAborted()
  }
}

/** The warning for a client that repeats commands which may have arrived. */
export function warningOf({ isCluster, options }: IoRedisClient & Shown): string | undefined {
  if (isCluster && Number(options?.retryDelayOnFailover) > 0) {
    return 'this Redis Cluster client repeats commands after a failover, and each that arrives counts: set retryDelayOnFailover: 0'
  }
  return !isCluster && options?.autoResendUnfulfilledCommands
    ? 'this Redis client repeats commands after a reconnect, and each that arrives counts: set autoResendUnfulfilledCommands: false'
    : undefined
}
