import { assertCount, assertKeys, assertOption, describeType } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { parseUrl } from '../url.ts'
import { isTcp, TCP } from './near-miss.ts'
import { batched } from './redis-protocol/batch.ts'
import {
  checkKeyLocking,
  checkRedisOptions,
  type KeyLockingOptions,
  type RedisStoreOptions,
} from './redis-protocol/redis-options.ts'
import { redisStore } from './redis-protocol/redis-store.ts'
import { restClient, restPipeline, restSender } from './redis-protocol/rest.ts'
import { isUpstash } from './redis-protocol/script.ts'
import { asksUpstash, isSdkClient, type SdkClient, sendOnce } from './redis-protocol/upstash-sdk.ts'
import type { Store } from './store.ts'

/** Where the database is. Both are in its console, and in the variables the integration sets. */
export interface UpstashCredentials {
  /** The REST URL, `https://….upstash.io`: `UPSTASH_REDIS_REST_URL`. */
  readonly url: string
  /** The token that may write: `UPSTASH_REDIS_REST_TOKEN`, never the read-only one. */
  readonly token: string
}

export type { SdkClient } from './redis-protocol/upstash-sdk.ts'

export interface UpstashOptions extends RedisStoreOptions, KeyLockingOptions {
  /**
   * Sends the requests, where the credentials are given and the platform's `fetch` will not do.
   * @default fetch
   */
  readonly fetch?: typeof fetch | undefined
  /**
   * Lets checks that meet in one isolate within `wait` ms (0 to 100) travel in one request. Each
   * is billed as before, and waits that much longer. Needs `waitUntil`, which the adapters give.
   * Not for clients, which send in ways of their own.
   * @default none: each check is a request
   */
  readonly batch?: { readonly wait: number } | undefined
}

/**
 * Counts in Upstash Redis, or behind whatever speaks its REST protocol: one HTTP request per check,
 * which is one INCRBY in a window seen open and one atomic script else. Given a URL and a token it needs no package at all.
 *
 * A client of your own sends each command once, whatever its `retry` says: a repeated take would
 * count twice. `fetch` then concerns it no more.
 *
 * `tidegate/upstash`
 */
export function upstash(
  source: UpstashCredentials | SdkClient,
  options: UpstashOptions = {},
): Store {
  const compiled = checkRedisOptions('upstash', options, 'fetch', 'batch', 'keyLocking')
  const { fetch: fetcher = globalFetch, batch } = options
  if (typeof source !== 'object' || source === null) {
    const want = '{ url, token } or a client of @upstash/redis'
    throw new ConfigError('upstash', describeType(source), want)
  }
  const wait = batch === undefined ? undefined : checkWait(batch)
  if (isSdkClient(source)) {
    if (wait !== undefined)
      throw new ConfigError('batch', 'a client', '{ url, token } in its place')
    const keyLocking = checkKeyLocking(options, asksUpstash(source))
    return redisStore(sendOnce(source) ?? source, { ...compiled, keyLocking })
  }
  const url = checkUrl('url', source.url)
  const token = checkToken('token', source.token)
  const keyLocking = checkKeyLocking(options, isUpstash(url))
  const alone = restSender(url, token, fetcher)
  const send = wait === undefined ? alone : batched(alone, restPipeline(url, token, fetcher), wait)
  return redisStore(restClient(send), { ...compiled, keyLocking })
}

function checkWait(batch: unknown): number {
  assertKeys('batch', batch, ['wait'])
  const { wait } = batch as { readonly wait?: unknown }
  assertCount('batch.wait', wait, 0, 100)
  return wait
}

/** Looked up per request, so that whoever wraps `fetch` later (Next.js, a tracer) is used too. */
const globalFetch: typeof fetch = (input, init) => fetch(input, init)

/** The URL without a trailing slash. Throws a `ConfigError` that calls it `option`. */
export function checkUrl(option: string, url: unknown): string {
  const want = 'the REST URL of the database, such as "https://eu1-calm-1234.upstash.io"'
  assertOption(typeof url === 'string' && url !== '', option, url, want)
  if (/["'\s]/.test(url)) throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  if (isTcp(url)) throw new ConfigError(option, `the address for ${TCP}`, want)
  // Not shown: a URL may carry the token.
  const parsed = /^https?:\/\/[^/\\]/.test(url) ? parseUrl(url) : undefined
  if (parsed === undefined) throw new ConfigError(option, 'no URL', want)
  // `fetch` rejects such a URL at each request.
  if (parsed.username || parsed.password) {
    throw new ConfigError(option, 'a URL with a user or a password', want)
  }
  return url.replace(/\/+$/, '')
}

/** The token, which errors never show. Throws a `ConfigError` that calls it `option`. */
export function checkToken(option: string, token: unknown): string {
  const want = 'the token of the database that may write'
  assertOption(typeof token === 'string' && token !== '', option, token, want)
  if (/["'\s]/.test(token)) {
    throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(option, 'a text that no header can carry', want)
  }
  return token
}
