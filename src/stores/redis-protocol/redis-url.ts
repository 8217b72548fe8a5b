import { describeValue } from '../../checks.ts'
import { ConfigError, StoreError } from '../../errors.ts'
import { guard } from '../../isolate/guard.ts'
import { redactedMessage } from '../../redact.ts'
import type { TimeSource } from '../../timer.ts'
import { parseUrl } from '../../url.ts'
import { redis } from '../redis.ts'
import type { Store } from '../store.ts'
import { createIoRedis } from './ioredis-connection.ts'
import { enforceSocketTimeout } from './socket-timeout.ts'

/** Hosts on this machine. Traffic to them cannot be intercepted on a network. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Hosts for which the warning about TLS was logged. */
const warned = new Set<string>()

/**
 * A server that sends nothing for longer counts as unreachable, so that no commands queue for it.
 */
const SOCKET_TIMEOUT_MS = 2000

/** The longest pause between two attempts to connect. */
const MAX_RECONNECT_MS = 200

/**
 * Returns a store that counts in the Redis at a URL, `redis://` or `rediss://` (TLS), with user,
 * password and number of the database. Uses ioredis, which must be installed. Connects at the first
 * take. A command that may have arrived is never sent twice. While there is no connection, takes
 * fail at once.
 *
 * Throws a `ConfigError` that names `option` and never shows the URL, since it contains the
 * password. Warns once per host if the URL sends that password without TLS.
 *
 * @param time measures how long the server is silent
 */
export function redisFromUrl(option: string, url: unknown, time?: TimeSource): Store {
  const address = checkRedisUrl(option, url)
  const { protocol, hostname, host } = address
  if (protocol === 'redis:' && !LOOPBACK.test(hostname) && !warned.has(host)) {
    warned.add(host)
    console.warn(`tidegate: ${option} has no TLS: use rediss://, except in a private network`)
  }
  let connecting: Promise<() => Store> | undefined

  return {
    guard,
    label: `redis at ${host}, from ${option}`,
    identity: address.href,
    async take(demands, options) {
      connecting ??= connect(address.href, time)
      const connectedStore = await connecting
      return connectedStore().take(demands, options)
    },
  }
}

const NO_SOCKETS =
  'the Edge runtime has no sockets. Use a REST API there: set UPSTASH_REDIS_REST_URL and _TOKEN of ' +
  'Upstash, or of "tidegate gateway" in front of your Redis'

/**
 * Resolves after the first attempt to connect. The function that it resolves to returns the store,
 * or throws a `StoreError` with the reason while there is no connection.
 */
async function connect(url: string, time: TimeSource | undefined): Promise<() => Store> {
  // Node and all bundlers have the same default export of CommonJS; named exports differ.
  const { default: ioredis } = await import('ioredis').catch((error: unknown) => {
    const needed = 'EdgeRuntime' in globalThis ? NO_SOCKETS : 'run "npm install ioredis"'
    throw new StoreError(
      'rejected',
      `redis: cannot load ioredis (${redactedMessage(error)}): ${needed}`,
    )
  })
  const connection = createIoRedis(ioredis.Redis, url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout: SOCKET_TIMEOUT_MS,
    // Not the library's 2 s: a probe that finds no connection costs a further pause.
    retryStrategy: (times) => Math.min(times * 50, MAX_RECONNECT_MS),
  })
  const awaitReply = enforceSocketTimeout(connection.redis, SOCKET_TIMEOUT_MS, time)
  // The error of a command does not hold the reason.
  let reason = 'not connected yet'
  connection.redis.on('error', (error) => {
    if (error !== connection.databaseError)
      reason = 'code' in error ? `${error.code}` : redactedMessage(error)
  })
  await connection.redis.connect().catch(() => {})
  const store = redis(connection.redis)
  const watchedStore: Store = {
    ...store,
    take: (demands, options) => awaitReply(store.take(demands, options)),
  }
  return () => {
    const { databaseError, isReady } = connection
    const mayHaveCounted = false
    if (databaseError) {
      throw new StoreError('rejected', `redis: ${databaseError.message}`, { mayHaveCounted })
    }
    if (!isReady) {
      throw new StoreError('unreachable', `redis: no connection (${reason})`, { mayHaveCounted })
    }
    return watchedStore
  }
}

/**
 * Parses the URL of a Redis. Throws a `ConfigError` that names `option` and never shows the URL.
 */
export function checkRedisUrl(option: string, url: unknown): URL {
  const reject = (got: string): never => {
    const expected = 'the URL of a Redis, such as "rediss://user:password@host:6379/0"'
    throw new ConfigError(option, expected, got)
  }
  if (typeof url !== 'string' || url === '') return reject(describeValue(url))
  if (/["'\s]/.test(url)) return reject('a string with spaces or quotes')
  if (/^https?:/.test(url)) return reject('an HTTP URL')
  // The parser would take the text before such a character for the host, and the host is shown.
  if (/#|\?[^=]*@/.test(url)) {
    return reject('a user or password with a bare # or ? (write %23 or %3F)')
  }
  const address = /^rediss?:\/\/./.test(url) ? parseUrl(url) : undefined
  if (address === undefined) return reject('a string that is not such a URL')
  if (!isEscaped(address.username) || !isEscaped(address.password)) {
    return reject('a user or password with a bare % (write %25)')
  }
  const database = address.searchParams.get('db') ?? address.pathname.slice(1)
  if (!/^\d{0,5}$/.test(database)) {
    return reject('a URL whose database is not a number')
  }
  return address
}

/** Whether ioredis, which decodes user and password, can decode a text. */
function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
