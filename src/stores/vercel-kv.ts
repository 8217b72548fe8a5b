import { detectPlatform, type Environment, processEnv } from '../environment.ts'
import { ConfigError, show } from '../errors.ts'
import { checkPrefix, DEFAULT_PREFIX } from './key.ts'
import { type ScriptClient, scriptedStore } from './scripted.ts'
import type { Store } from './store.ts'
import { checkToken, checkUrl, upstash } from './upstash.ts'

/** `kv` or a client of `createClient` from @vercel/kv, or whatever has these two methods of it. */
export type VercelKvClient = Pick<ScriptClient, 'eval' | 'evalsha'>

export interface VercelKvOptions {
  /**
   * What every key begins with.
   * @default 'ratelimit'
   */
  readonly prefix?: string
}

/**
 * Counts in Vercel KV through @vercel/kv, on Vercel and Node: one atomic script and one HTTP
 * request per check. Without a client it reads `KV_REST_API_URL` and `KV_REST_API_TOKEN` and needs
 * no package.
 *
 * Make a client of your own with `createClient({ url, token, retry: { retries: 0 } })`: by default
 * it sends a command up to six times, and each that arrived counts.
 *
 * On Cloudflare Workers it throws at once: @vercel/kv asks `fetch` for a cache mode that Workers
 * reject, so no request would ever be counted.
 */
export function vercelKv(client?: VercelKvClient, options: VercelKvOptions = {}): Store {
  const { prefix = DEFAULT_PREFIX } = options
  checkPrefix(prefix)
  if (detectPlatform() === 'cloudflare') {
    throw new ConfigError(
      'vercelKv',
      'a Cloudflare Worker, on which @vercel/kv cannot send a request',
      'upstash({ url: env.KV_REST_API_URL, token: env.KV_REST_API_TOKEN }), the same database',
    )
  }
  if (client === undefined) return fromVariables(processEnv(), prefix)
  if (typeof client?.evalsha !== 'function' || typeof client.eval !== 'function') {
    throw new ConfigError('vercelKv', show(client), '`kv` or a client from @vercel/kv, or nothing')
  }
  return scriptedStore('vercel-kv', client, prefix)
}

function fromVariables(env: Environment, prefix: string): Store {
  const url = checkUrl('KV_REST_API_URL', env.KV_REST_API_URL)
  return upstash({ url, token: checkToken('KV_REST_API_TOKEN', env.KV_REST_API_TOKEN) }, { prefix })
}
