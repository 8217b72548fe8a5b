import { ConfigError, show } from '../errors.ts'
import { redis } from './redis.ts'
import type { Store } from './store.ts'

/** Hosts to which nobody on the way can listen. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Counts in the Redis at a URL, `redis://` or `rediss://` (TLS) with user, password and number of
 * the database, through ioredis, which must be installed. Nothing connects before the first take. A
 * command that may have arrived is never sent twice, and while the connection is away takes fail
 * at once.
 *
 * `option` is what errors call the URL, which they never show: it holds the password. Throws a
 * `ConfigError`; warns if the URL sends that password in the clear.
 */
export function redisFromUrl(option: string, url: unknown): Store {
  const address = checkRedisUrl(option, url)
  if (address.protocol === 'redis:' && !LOOPBACK.test(address.hostname)) {
    console.warn(`tidegate: ${option} has no TLS: use rediss:// unless the network is your own`)
  }
  let connecting: Promise<Store> | undefined

  async function connect(): Promise<Store> {
    const { Redis } = await import('ioredis')
    const client = new Redis(address.href, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    })
    // Each take that fails says so; ioredis would print every attempt to connect again.
    client.on('error', () => {})
    await client.connect().catch(() => {})
    return redis(client)
  }

  return {
    async take(demands, options) {
      connecting ??= connect()
      return (await connecting).take(demands, options)
    },
  }
}

function checkRedisUrl(option: string, url: unknown): URL {
  const want = 'the address of a Redis, such as "rediss://user:password@host:6379/0"'
  if (typeof url !== 'string' || url === '') throw new ConfigError(option, show(url), want)
  if (/["'\s]/.test(url)) throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  if (/^https?:/.test(url)) throw new ConfigError(option, 'the address for REST', want)
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new ConfigError(option, 'no such address', want)
  }
  return new URL(url)
}
