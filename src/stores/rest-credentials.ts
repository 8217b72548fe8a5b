import { assertOption } from '../checks.ts'
import { type Environment, rawVariable, variable } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { parseUrl } from '../url.ts'

/** The URL and token of a database, from its console or from the variables of an integration. */
export interface UpstashCredentials {
  /** The REST URL, `https://….upstash.io`: `UPSTASH_REDIS_REST_URL`. */
  readonly url: string
  /** The token with write access: `UPSTASH_REDIS_REST_TOKEN`. A read-only token cannot count. */
  readonly token: string
}

/** Whether a value is the URL of a Redis or Valkey over TCP. */
export const isRedisUrl = (url: unknown) =>
  typeof url === 'string' && /^(?:redis|valkey)s?:/.test(url)

/** Describes the URL of a Redis over TCP, in errors and warnings. */
export const TCP_URL = 'a URL for TCP, which "tidegate/node" reads from REDIS_URL'

const EXPECTED_URL = 'the REST URL of the database, such as "https://eu1-calm-1234.upstash.io"'
const EXPECTED_TOKEN = 'a token with write access to the database'

/**
 * Reads `<prefix>URL` and `<prefix>TOKEN`. Throws a `ConfigError` that names the variable that is
 * missing or wrong, also if the token is that of `<prefix>READ_ONLY_TOKEN`.
 */
export function readCredentials(env: Environment, prefix: string): UpstashCredentials {
  const url = parseRestUrl(`${prefix}URL`, rawVariable(env, `${prefix}URL`))
  const token = parseRestToken(`${prefix}TOKEN`, rawVariable(env, `${prefix}TOKEN`))
  if (token === variable(env, `${prefix}READ_ONLY_TOKEN`)) {
    throw new ConfigError(`${prefix}TOKEN`, EXPECTED_TOKEN, 'the read-only token')
  }
  return { url, token }
}

/** Returns the URL without a trailing slash. Throws a `ConfigError` that names `option`. */
export function parseRestUrl(option: string, url: unknown): string {
  const text = parseWord(option, url, EXPECTED_URL)
  const wrong = (got: string) => new ConfigError(option, EXPECTED_URL, got)
  if (isRedisUrl(text)) throw wrong(TCP_URL)
  // Not shown: a URL may carry the token.
  const parsed = /^https?:\/\/[^/\\]/.test(text) ? parseUrl(text) : undefined
  if (parsed === undefined) throw wrong('a string that is not an HTTP URL')
  // `fetch` rejects such a URL at each request.
  if (parsed.username || parsed.password) throw wrong('a URL with a user or password')
  return text.replace(/\/+$/, '')
}

/** Returns the token. Throws a `ConfigError` that names `option` and never shows the token. */
export function parseRestToken(option: string, token: unknown): string {
  const text = parseWord(option, token, EXPECTED_TOKEN)
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new ConfigError(option, EXPECTED_TOKEN, 'a string that no header can carry')
}

/** Returns a text. Throws if it was copied with quotes or spaces around it. */
function parseWord(option: string, value: unknown, expected: string): string {
  assertOption(typeof value === 'string' && value !== '', option, value, expected)
  if (!/["'\s]/.test(value)) return value
  throw new ConfigError(option, expected, 'a string with spaces or quotes')
}
