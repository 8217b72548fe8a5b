import { assertOption } from '../checks.ts'
import { type Environment, rawVariable, variable } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { parseUrl } from '../url.ts'

/** Where the database is. Both are in its console, and in the variables the integration sets. */
export interface UpstashCredentials {
  /** The REST URL, `https://….upstash.io`: `UPSTASH_REDIS_REST_URL`. */
  readonly url: string
  /** The token that may write: `UPSTASH_REDIS_REST_TOKEN`, never the read-only one. */
  readonly token: string
}

/** Whether a value is the URL of a Redis or Valkey over TCP. */
export const isRedisUrl = (url: unknown) =>
  typeof url === 'string' && /^(?:redis|valkey)s?:/.test(url)

/** Names the entry point that uses the URL of a Redis over TCP, in errors and warnings. */
export const TCP_ENTRY = 'TCP, which "tidegate/node" reads from REDIS_URL'

/**
 * Reads `<prefix>URL` and `<prefix>TOKEN`. Throws a `ConfigError` that names the variable that is
 * missing or wrong, also if the token is that of `<prefix>READ_ONLY_TOKEN`.
 */
export function readCredentials(env: Environment, prefix: string): UpstashCredentials {
  const url = parseRestUrl(`${prefix}URL`, rawVariable(env, `${prefix}URL`))
  const token = parseRestToken(`${prefix}TOKEN`, rawVariable(env, `${prefix}TOKEN`))
  if (token === variable(env, `${prefix}READ_ONLY_TOKEN`)) {
    throw new ConfigError(`${prefix}TOKEN`, 'the read-only token', 'the token that may write')
  }
  return { url, token }
}

/** The URL without a trailing slash. Throws a `ConfigError` that calls it `option`. */
export function parseRestUrl(option: string, url: unknown): string {
  const want = 'the REST URL of the database, such as "https://eu1-calm-1234.upstash.io"'
  assertOption(typeof url === 'string' && url !== '', option, url, want)
  if (/["'\s]/.test(url)) throw new ConfigError(option, 'a text with spaces or quotes in it', want)
  if (isRedisUrl(url)) throw new ConfigError(option, `the address for ${TCP_ENTRY}`, want)
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
export function parseRestToken(option: string, token: unknown): string {
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
