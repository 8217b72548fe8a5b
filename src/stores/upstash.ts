import { assertFunction, describeType } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { parseUrl } from '../url.ts'
import type { Batching } from './redis-protocol/batch.ts'
import {
  compileRedisOptions,
  type KeyLockingOptions,
  type RedisStoreOptions,
  resolveKeyLocking,
} from './redis-protocol/redis-options.ts'
import { redisStore } from './redis-protocol/redis-store.ts'
import { restClient, restSender } from './redis-protocol/rest.ts'
import { restIdentity } from './redis-protocol/rest-identity.ts'
import { isUpstash } from './redis-protocol/script.ts'
import {
  databaseOf,
  isSdkClient,
  type SdkClient,
  sendOnce,
  sendsToUpstash,
} from './redis-protocol/upstash-sdk.ts'
import { parseRestToken, parseRestUrl, type UpstashCredentials } from './rest-credentials.ts'
import type { Store } from './store.ts'

export { type Batching, type BatchingOptions, batching } from './redis-protocol/batch.ts'
export type { SdkClient } from './redis-protocol/upstash-sdk.ts'
export type { UpstashCredentials } from './rest-credentials.ts'

export interface UpstashOptions extends RedisStoreOptions, KeyLockingOptions {
  /**
   * Sends the requests if `{ url, token }` is given, in place of the platform's `fetch`.
   * @default fetch
   */
  readonly fetch?: typeof fetch | undefined
  /**
   * Sends checks that come at the same time in one request: `batching({ wait: 2 })`. Not for a
   * client of @upstash/redis, which sends by itself.
   * @default no batches: each check is one request
   */
  readonly batch?: Batching | undefined
}

const OPTIONS = ['fetch', 'batch', 'keyLocking'] as const

/**
 * Counts in Upstash Redis, or another server of its REST protocol: one HTTP request per check. The
 * request is one INCRBY if the window is known to be open, otherwise one atomic script. With a URL
 * and a token, needs no package.
 *
 * A client of @upstash/redis sends each command once and ignores its `retry`, since a repeated
 * command could count twice. The options `fetch` and `batch` do not apply to such a client.
 *
 * @example
 * import { upstash } from 'tidegate/upstash'
 *
 * const store = (env: Env) =>
 *   upstash({ url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN })
 */
export function upstash(
  source: UpstashCredentials | SdkClient,
  options: UpstashOptions = {},
): Store {
  const compiled = compileRedisOptions('upstash', options, ...OPTIONS)
  const { fetch: fetcher = globalFetch, batch } = options
  if (batch !== undefined) assertFunction('batch', batch, 'batching({ wait })')
  if (typeof source !== 'object' || source === null) {
    const expected = '{ url, token } or a client of @upstash/redis'
    throw new ConfigError('upstash', expected, describeType(source))
  }
  if (isSdkClient(source)) {
    if (batch) {
      throw new ConfigError('batch', 'upstash({ url, token })', 'a client, which cannot batch')
    }
    const keyLocking = resolveKeyLocking(options, sendsToUpstash(source))
    const identity = restIdentity(databaseOf(source), compiled.prefix)
    return redisStore(sendOnce(source) ?? source, { ...compiled, identity, keyLocking })
  }
  const misplaced = ['prefix', ...OPTIONS].find((option) => option in source)
  if (misplaced) throw new ConfigError(misplaced, 'it in the second argument', 'it beside the url')
  const url = parseRestUrl('url', source.url)
  const token = parseRestToken('token', source.token)
  const keyLocking = resolveKeyLocking(options, isUpstash(url))
  const send = (batch ?? restSender)(url, token, fetcher)
  const identity = restIdentity(`${url} Bearer ${token}`, compiled.prefix, options.fetch)
  return redisStore(restClient(send), {
    ...compiled,
    host: parseUrl(url)?.host,
    identity,
    keyLocking,
  })
}

/** Reads the global for each request, since Next.js or a tracer may replace it later. */
const globalFetch: typeof fetch = (input, init) => fetch(input, init)
