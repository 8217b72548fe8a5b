import type { Redis, RedisOptions } from 'ioredis'

/** A connection to one Redis server through ioredis. */
export interface IoRedisConnection {
  readonly redis: Redis
  /** The error by which the server refused the database of the URL, on the newest connection. */
  readonly databaseError: Error | undefined
  /** Whether commands can be sent now, and run in the database that the URL names. */
  readonly isReady: boolean
}

/** The class `Redis` of ioredis, which the library imports only when it is needed. */
type IoRedis = new (url: string, options: RedisOptions) => Redis

/**
 * Creates a connection that sends no command twice: a command that fails is reported and never
 * repeated. Adds a listener for `error`, without which ioredis writes to the console.
 *
 * If the server refuses the database of the URL, ioredis emits an `error` and goes on in database
 * 0. Commands would then count among the keys of another application, so callers must check
 * `isReady` or `databaseError` before they send one.
 */
export function createIoRedis(
  IoRedis: IoRedis,
  url: string,
  options: RedisOptions,
): IoRedisConnection {
  const redis = new IoRedis(url, {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...options,
  })
  let databaseError: Error | undefined
  redis.on('connect', () => {
    databaseError = undefined
  })
  redis.on('error', (error: Error & { readonly command?: { readonly name?: string } }) => {
    if (error.command?.name === 'select') databaseError = error
  })
  return {
    redis,
    get databaseError() {
      return databaseError
    },
    get isReady() {
      return redis.status === 'ready' && databaseError === undefined
    },
  }
}
