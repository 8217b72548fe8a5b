import { ConfigError, checkKeys, show } from '../errors.ts'
import { checkPrefix, DEFAULT_PREFIX } from './key.ts'
import { restClient } from './rest.ts'
import { scriptedStore } from './scripted.ts'
import { isSdkClient, type SdkClient, sendOnce } from './sdk.ts'
import type { Store } from './store.ts'

/** Where the database is. Both are in its console, and in the variables the integration sets. */
export interface UpstashCredentials {
  /** The REST URL, `https://….upstash.io`: `UPSTASH_REDIS_REST_URL`. */
  readonly url: string
  /** The token that may write: `UPSTASH_REDIS_REST_TOKEN`, never the read-only one. */
  readonly token: string
}

export type { SdkClient } from './sdk.ts'

export interface UpstashOptions {
  /**
   * What every key begins with.
   * @default 'ratelimit'
   */
  readonly prefix?: string | undefined
  /**
   * Sends the requests, where the credentials are given and the platform's `fetch` will not do.
   * @default fetch
   */
  readonly fetch?: typeof fetch | undefined
}

/**
 * Counts in Upstash Redis, or behind whatever speaks its REST protocol: one atomic script and one
 * HTTP request per check. Given a URL and a token it needs no package at all.
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
  checkKeys('upstash', options, ['prefix', 'fetch'])
  const { prefix = DEFAULT_PREFIX, fetch: fetcher = globalFetch } = options
  checkPrefix(prefix)
  if (typeof source !== 'object' || source === null) {
    throw new ConfigError('upstash', show(source), '{ url, token } or a client of @upstash/redis')
  }
  if (isSdkClient(source))
    return scriptedStore(sendOnce(source) ?? source, { name: 'upstash', prefix })
  const url = checkUrl('url', source.url)
  const token = checkToken('token', source.token)
  return scriptedStore(restClient(url, token, fetcher), { name: 'upstash', prefix })
}

/** Looked up per request, so that whoever wraps `fetch` later (Next.js, a tracer) is used too. */
const globalFetch: typeof fetch = (input, init) => fetch(input, init)

/** The URL without a trailing slash. Throws a `ConfigError` that calls it `option`. */
export function checkUrl(option: string, url: unknown): string {
  const want = 'the REST URL of the database, such as "https://eu1-calm-1234.upstash.io"'
  if (typeof url !== 'string' || url === '') throw new ConfigError(option, show(url), want)
  if (/["'\s]/.test(url)) throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  if (/^rediss?:/.test(url)) throw new ConfigError(option, 'the address for TCP', want)
  // Not shown: a URL may carry the token.
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new ConfigError(option, 'no URL', want)
  return url.replace(/\/+$/, '')
}

/** The token, which errors never show. Throws a `ConfigError` that calls it `option`. */
export function checkToken(option: string, token: unknown): string {
  const want = 'the token of the database that may write'
  if (typeof token !== 'string' || token === '') throw new ConfigError(option, show(token), want)
  if (/["'\s]/.test(token)) {
    throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(option, 'a text that no header can carry', want)
  }
  return token
}
