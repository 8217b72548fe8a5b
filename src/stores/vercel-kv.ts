import { describeType } from '../checks.ts'
import { detectPlatform, processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import {
  compileRedisOptions,
  type KeyLockingOptions,
  type RedisStoreOptions,
  resolveKeyLocking,
} from './redis-protocol/redis-options.ts'
import { redisStore } from './redis-protocol/redis-store.ts'
import { restIdentity } from './redis-protocol/rest-identity.ts'
import {
  databaseOf,
  isSdkClient,
  type SdkClient,
  sendOnce,
  sendsToUpstash,
} from './redis-protocol/upstash-sdk.ts'
import { readCredentials } from './rest-credentials.ts'
import type { Store } from './store.ts'
import { upstash } from './upstash.ts'

export type { SdkClient } from './redis-protocol/upstash-sdk.ts'

export interface VercelKvOptions extends RedisStoreOptions, KeyLockingOptions {}

/**
 * Counts in Vercel KV: one HTTP request per check. The client is `kv` of @vercel/kv, or a client
 * from its `createClient`. It sends each command once and ignores its `retry`. Without a client,
 * reads the variables `KV_REST_API_URL` and `KV_REST_API_TOKEN`, and needs no package.
 *
 * @vercel/kv is for Vercel and Node. Workers can import it only with nodejs_compat; otherwise use
 * `upstash({ url: env.KV_REST_API_URL, token: env.KV_REST_API_TOKEN })`.
 *
 * @example
 * import { kv } from '@vercel/kv'
 * import { vercelKv } from 'tidegate/vercel-kv'
 *
 * export const middleware = rateLimit({ limit: 100, window: '1m', store: () => vercelKv(kv) })
 */
export function vercelKv(client?: SdkClient, options: VercelKvOptions = {}): Store {
  const compiled = compileRedisOptions('vercelKv', options, 'keyLocking')
  if (client === undefined) return upstash(readCredentials(processEnv(), 'KV_REST_API_'), options)
  if (typeof client !== 'object' || client === null || !isSdkClient(client)) {
    throw new ConfigError(
      'vercelKv',
      '`kv` or another client from @vercel/kv, or no argument',
      describeType(client),
    )
  }
  const once = sendOnce(client)
  if (once === undefined && detectPlatform() === 'cloudflare') {
    throw new ConfigError(
      'vercelKv',
      'upstash({ url: env.KV_REST_API_URL, token: env.KV_REST_API_TOKEN }), the same database',
      'a client whose cache mode Cloudflare Workers reject',
    )
  }
  const keyLocking = resolveKeyLocking(options, sendsToUpstash(client))
  const identity = restIdentity(databaseOf(client), compiled.prefix)
  return redisStore(once ?? client, { ...compiled, name: 'vercel-kv', identity, keyLocking })
}
