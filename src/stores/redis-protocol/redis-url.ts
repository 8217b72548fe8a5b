import { describeValue } from '../../checks.ts'
import { ConfigError, StoreError } from '../../errors.ts'
import { guard } from '../../isolate/guard.ts'
import { redactedMessage } from '../../redact.ts'
import { parseUrl } from '../../url.ts'
import { redis } from '../redis.ts'
import type { Store } from '../store.ts'
import { watchSilence } from './silence.ts'

/** Hosts to which nobody on the way can listen. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Hosts of which it was said already that they are reached without TLS. */
const warned = new Set<string>()

/** In ms. A server that is silent for longer counts as away, so that nothing queues for it. */
const SILENCE_MS = 2000

/**
 * Counts in the Redis at a URL, `redis://` or `rediss://` (TLS) with user, password and number of
 * the database, through ioredis, which must be installed. Nothing connects before the first take. A
 * command that may have arrived is never sent twice, and while the connection is away takes fail
 * at once.
 *
 * `option` is what errors call the URL, which they never show: it holds the password. Throws a
 * `ConfigError`; warns once if the URL sends that password in the clear.
 */
export function redisFromUrl(option: string, url: unknown): Store {
  const address = checkRedisUrl(option, url)
  const { protocol, hostname, host } = address
  if (protocol === 'redis:' && !LOOPBACK.test(hostname) && !warned.has(host)) {
    warned.add(host)
    console.warn(`tidegate: ${option} has no TLS: use rediss:// unless the network is your own`)
  }
  let connecting: Promise<() => Store> | undefined

  return {
    guard,
    async take(demands, options) {
      connecting ??= connect(address.href)
      return (await connecting)().take(demands, options)
    },
  }
}

const NO_SOCKETS =
  'the Edge runtime has no sockets. Set the URL and token of a REST API there: that of Upstash, or ' +
  'of "tidegate gateway" in front of your Redis'

/** Resolves after the first attempt to what hands out the store, or says why there is none now. */
async function connect(url: string): Promise<() => Store> {
  // Node and all bundlers have the same default export of CommonJS; named exports differ.
  const { default: ioredis } = await import('ioredis').catch((error: unknown) => {
    const needed = 'EdgeRuntime' in globalThis ? NO_SOCKETS : 'run "npm install ioredis"'
    throw new StoreError(
      'rejected',
      `redis: cannot load ioredis (${redactedMessage(error)}): ${needed}`,
    )
  })
  const client = new ioredis.Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SILENCE_MS,
  })
  const listen = watchSilence(client, SILENCE_MS)
  // ioredis goes on in database 0 if another one is refused, and says so in an error alone.
  let refused: string | undefined
  /** Why there is no connection: a command says only that there is none. */
  let why = 'not connected yet'
  client.on('connect', () => {
    refused = undefined
  })
  client.on('error', (error: Error & Partial<Record<'command', { readonly name?: string }>>) => {
    if (error.command?.name === 'select') refused = error.message
    else why = 'code' in error ? `${error.code}` : redactedMessage(error)
  })
  await client.connect().catch(() => {})
  const store = redis(client)
  const watched: Store = {
    ...store,
    take: (demands, options) => listen(store.take(demands, options)),
  }
  return () => {
    if (refused !== undefined) throw new StoreError('rejected', `redis: ${refused}`)
    if (client.status !== 'ready')
      throw new StoreError('unreachable', `redis: no connection (${why})`)
    return watched
  }
}

/** The address of a Redis. Throws a `ConfigError` that calls it `option` and never shows it. */
export function checkRedisUrl(option: string, url: unknown): URL {
  const want = 'the address of a Redis, such as "rediss://user:password@host:6379/0"'
  if (typeof url !== 'string' || url === '') throw new ConfigError(option, describeValue(url), want)
  if (/["'\s]/.test(url)) throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  if (/^https?:/.test(url)) throw new ConfigError(option, 'the address for REST', want)
  // What stands before such a character would be the host, which is shown.
  if (/#|\?[^=]*@/.test(url)) {
    throw new ConfigError(option, 'a user or password with a # or ? that is not escaped', want)
  }
  const address = /^rediss?:\/\/./.test(url) ? parseUrl(url) : undefined
  if (address === undefined) throw new ConfigError(option, 'no such address', want)
  if (!isEscaped(address.username) || !isEscaped(address.password)) {
    throw new ConfigError(option, 'a user or password with a % that is not written %25', want)
  }
  const database = address.searchParams.get('db') ?? address.pathname.slice(1)
  if (!/^\d{0,5}$/.test(database)) {
    throw new ConfigError(option, 'an address whose database is no number', want)
  }
  return address
}

/** Whether ioredis, which decodes it, can. */
function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
