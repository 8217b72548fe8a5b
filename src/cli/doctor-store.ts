import { Redis } from 'ioredis'
import type { Target } from '../doctor/doctor.ts'
import { type Environment, processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { resolveStore } from '../stores/named-store.ts'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { checkRedisUrl } from '../stores/redis-protocol/redis-url.ts'
import { parseRestToken, parseRestUrl } from '../stores/rest-credentials.ts'
import { describeUnused } from '../stores/unused-variables.ts'
import { readEnvFiles } from './env-file.ts'

/** The store that a flag or variable names. */
export interface NamedStore {
  /** The flag or variable that names it, for the head of the table. Never a part of a URL. */
  readonly name: string
  /** The URL of a Redis over TCP. */
  readonly address?: string | undefined
  /** Opens the store for one examination. */
  open(): OpenStore
}

export interface OpenStore {
  readonly target: Target
  close(): unknown
}

/** The flags that choose the store. */
export type StoreFlags = Partial<Readonly<Record<'url' | 'token' | 'redis', string>>> & {
  readonly 'env-file'?: readonly string[] | undefined
}

const NO_STORE =
  'the environment names no store, so each isolate would count in its own memory. Set UPSTASH_REDIS_REST_URL and ' +
  'UPSTASH_REDIS_REST_TOKEN, KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL; or pass --url and ' +
  '--token, or --redis'

/** The variables of the process, or of the files that `--env-file` names. */
export function readEnvironment({ 'env-file': files }: StoreFlags): Environment {
  return files === undefined ? processEnv() : readEnvFiles('--env-file', files)
}

/**
 * Returns the store, or the reason why it cannot be used: no variable names it, or a variable is
 * wrong. Throws a `ConfigError` for a wrong flag.
 */
export function findStore(flags: StoreFlags, env: Environment): NamedStore | string {
  try {
    return readStore(flags, env) ?? NO_STORE + describeUnused(env)
  } catch (error) {
    if (error instanceof ConfigError && !error.option.startsWith('--')) return error.message
    throw error
  }
}

/** The store that the flags name, else the environment, in the order of `storeFromEnv`. */
function readStore(flags: StoreFlags, env: Environment): NamedStore | undefined {
  const { url, token, redis, 'env-file': files } = flags
  const given = { '--env-file': files, '--redis': redis, '--url': url ?? token }
  const [first, second] = Object.entries(given).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag],
  )
  if (first !== undefined && second !== undefined) {
    throw new ConfigError(first, 'only one store', `${second} too`)
  }
  if (redis !== undefined) return redisOverTcp('--redis', redis)
  if (url !== undefined || token !== undefined) {
    return overRest('--url', {
      url: parseRestUrl('--url', url),
      token: parseRestToken('--token', token),
    })
  }
  const where = files === undefined ? '' : ` in ${files.join(', ')}`
  const named = resolveStore([env], 'REDIS_URL')
  if (named?.kind === 'redis') return redisOverTcp(named.urlName, named.url, where)
  if (named?.kind !== 'rest') return undefined
  return overRest(named.urlName + where, named.credentials())
}

const overRest = (name: string, target: Target): NamedStore => ({
  name,
  open: () => ({ target, close() {} }),
})

function redisOverTcp(option: string, url: unknown, where = ''): NamedStore {
  const address = checkRedisUrl(option, url).href
  return { name: option + where, address, open: () => connect(address) }
}

/** Opens the connection with the first command, and never a second time. */
function connect(address: string): OpenStore {
  const connection = createIoRedis(Redis, address, {
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
  })
  const { redis } = connection
  // A command that waited for the connection fails without the reason; the first event holds it.
  let reason: Error | undefined
  redis.on('error', (error) => {
    reason ??= error
    // The doctor must not examine another database than the one that the URL names.
    if (connection.databaseError) redis.disconnect()
  })
  return {
    async target([name = '', ...args]: readonly string[]) {
      try {
        return await redis.call(name, ...args)
      } catch (error) {
        throw redis.status === 'end' && reason ? reason : error
      }
    },
    // `disconnect` of a connection that has ended would keep the process for two more seconds.
    close: () => redis.status === 'end' || redis.disconnect(),
  }
}
