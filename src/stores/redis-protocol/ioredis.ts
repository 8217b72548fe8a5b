import type { RedisCommands } from './redis-commands.ts'

/** A client of ioredis or iovalkey, one server's or a cluster's. */
export interface IoRedisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  incrby(key: string, units: number): Promise<unknown>
  readonly isCluster?: boolean
}

/** Further members of such a client, which only some versions and kinds of client have. */
interface OptionalMembers {
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

/** The commands of a store, through ioredis or iovalkey. */
export function ioRedisCommands(redis: IoRedisClient & OptionalMembers): RedisCommands {
  const waitUntilReady = readyWaiter(redis)
  const send = explicitPipeline(redis)
  return {
    evalsha: async (sha, keys, args, options) => {
      await waitUntilReady(options?.signal)
      return send
        ? send(['evalsha', sha, keys.length, ...keys, ...args])
        : redis.evalsha(sha, keys.length, ...keys, ...args)
    },
    eval: async (script, keys, args, options) => {
      await waitUntilReady(options?.signal)
      return send
        ? send(['eval', script, keys.length, ...keys, ...args])
        : redis.eval(script, keys.length, ...keys, ...args)
    },
    incrby: async (key, units, options) => {
      await waitUntilReady(options?.signal)
      return redis.incrby(key, units)
    },
  }
}

/**
 * Returns a function that sends a command in a pipeline of its own, or `undefined` where that is
 * not needed. In a cluster, ioredis up to 5.10 and iovalkey choose the automatic pipeline of a
 * script by the slot of its first argument, which is the hash. Scripts of different slots then
 * share a pipeline, which fails. An explicit pipeline goes by the key.
 */
function explicitPipeline(redis: IoRedisClient & OptionalMembers) {
  if (!redis.isCluster || !redis.options?.enableAutoPipelining) return undefined
  return async (command: readonly (string | number)[]): Promise<unknown> => {
    const [[error, result] = [null, undefined]] = (await redis.pipeline?.([command]).exec()) ?? []
    if (error) throw error
    return result
  }
}

/**
 * Returns a function that waits for the connection, and throws when its caller gives up. In the
 * queue of ioredis, a command would stay and count after its caller gave up. With
 * `enableOfflineQueue: false` a command fails at once instead, except while ioredis connects for
 * the first time.
 */
function readyWaiter(redis: IoRedisClient & OptionalMembers) {
  const queues = redis.options?.enableOfflineQueue !== false
  const waiting = new Set<() => void>()
  let listens = false
  let isFirstConnection = true

  const isConnecting = ({ status } = redis) =>
    status !== undefined && status !== 'ready' && status !== 'end' && (queues || isFirstConnection)

  function listen() {
    listens = true
    const wakeAll = () => {
      isFirstConnection = false
      for (const wake of [...waiting]) wake()
    }
    for (const event of ['ready', 'close', 'end'] as const) redis.on?.(event, wakeAll)
  }

  const nextEvent = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      waiting.add(wake)
      signal.addEventListener('abort', wake)
    })

  return async (signal: AbortSignal | undefined): Promise<void> => {
    // Without a signal, ioredis decides how long to wait.
    if (signal === undefined) return
    if (isConnecting()) {
      if (!listens) listen()
      if (redis.status === 'wait') redis.connect?.().catch(() => {})
      while (isConnecting() && !signal.aborted) await nextEvent(signal)
    }
    signal.throwIfAborted()
  }
}

/** The warning for a client that repeats commands which may have arrived. */
export function warningOf({
  isCluster,
  options,
}: IoRedisClient & OptionalMembers): string | undefined {
  if (isCluster && Number(options?.retryDelayOnFailover) > 0) {
    return 'this Redis Cluster client repeats commands after a failover, so a check may count twice: set retryDelayOnFailover: 0'
  }
  return !isCluster && options?.autoResendUnfulfilledCommands
    ? 'this Redis client repeats commands after a reconnect, so a check may count twice: set autoResendUnfulfilledCommands: false'
    : undefined
}
