import { assertCount, assertKeys, describeType } from '../checks.ts'
import { ConfigError } from '../errors.ts'
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
import { parseRestToken, parseRestUrl, type UpstashCredentials } from './rest-credentials.ts'
import type { Store } from './store.ts'

export type { SdkClient } from './redis-protocol/upstash-sdk.ts'
export type { UpstashCredentials } from './rest-credentials.ts'

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
  const url = parseRestUrl('url', source.url)
  const token = parseRestToken('token', source.token)
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
