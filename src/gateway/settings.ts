import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { checkRedisUrl } from '../stores/redis-protocol/redis-url.ts'
import { type CommandFilter, commandFilter } from './command-filter.ts'

/** The options of the gateway, checked. */
export interface Settings {
  readonly redis: string
  readonly host: string
  readonly port: number
  readonly tokens: readonly string[]
  readonly commandFilter: CommandFilter
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly verbose: boolean
}

/**
 * Reads flags and variables. A flag overrides its variable. Throws a `ConfigError` that names the
 * flag or variable that is wrong.
 */
export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      redis: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      token: { type: 'string', multiple: true },
      allow: { type: 'string', multiple: true },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  })
  type Given = readonly [value: string | undefined, option: string]
  // An empty variable counts as not set. An empty flag counts as given.
  const given = (flag: string | undefined, name: string, variable: string): Given =>
    flag === undefined ? [env[variable] || undefined, variable] : [flag, name]

  return {
    redis: checkRedis(...given(values.redis, '--redis', 'REDIS_URL')),
    host: checkHost(values.host),
    port: checkPort(...given(values.port, '--port', 'PORT')),
    tokens: checkTokens(...given(values.token?.join(), '--token', 'GATEWAY_TOKEN')),
    commandFilter: commandFilter(splitList(values.allow?.join())),
    tls: readTls(values['tls-cert'], values['tls-key']),
    verbose: values.verbose,
  }
}

const splitList = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').map((part) => part.trim())

const checkRedis = (url: string | undefined, option: string): string =>
  url === undefined ? 'redis://127.0.0.1:6379' : checkRedisUrl(option, url).href

/** Rejects an empty host, such as that of an unset variable: it would open all interfaces. */
function checkHost(text: string): string {
  if (isIP(text) > 0 || /^[\w.-]+$/.test(text)) return text
  const expected = 'an address or host name of this machine, such as 127.0.0.1'
  throw new ConfigError('--host', expected, describeValue(text))
}

function checkPort(text: string | undefined, option: string): number {
  if (text === undefined) return 8079
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new ConfigError(option, 'a port from 0 to 65535', describeValue(text))
}

/**
 * Accepts several tokens, so that clients can move to a new token before the old one is removed.
 * Tokens are never shown and have no default: with a token, anybody can run scripts in the Redis.
 */
function checkTokens(text: string | undefined, option: string): readonly string[] {
  const expected =
    'a secret of 16 characters or more, without spaces (to make a secret: openssl rand -hex 32)'
  const from = option === '--token' ? option : '--token or GATEWAY_TOKEN'
  if (text === undefined || text === '') throw new ConfigError(from, expected, 'nothing')
  const tokens = splitList(text)
  for (const token of tokens) {
    if (token.length < 16) throw new ConfigError(option, expected, `a length of ${token.length}`)
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ConfigError(option, expected, 'characters that no header can carry')
    }
  }
  return tokens
}

function readTls(cert: string | undefined, key: string | undefined): Settings['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined) {
    throw new ConfigError('--tls-cert', 'the certificate for --tls-key', 'nothing')
  }
  if (key === undefined) throw new ConfigError('--tls-key', 'the key for --tls-cert', 'nothing')
  return { cert: readPem('--tls-cert', cert), key: readPem('--tls-key', key) }
}

function readPem(option: string, file: string): string {
  const expected = 'a file in PEM format'
  try {
    const text = readFileSync(file, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error
    throw new ConfigError(option, expected, `${describeValue(file)}, which cannot be read (${why})`)
  }
  throw new ConfigError(option, expected, `${describeValue(file)}, which has no "-----BEGIN"`)
}
