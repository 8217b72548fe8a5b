import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { describeValue } from '../checks.ts'
import { doctor as examine, type Report, type Target } from '../doctor/doctor.ts'
import { type Environment, processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import type { Duration } from '../policy/duration.ts'
import { resolveStore } from '../stores/named-store.ts'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { checkRedisUrl } from '../stores/redis-protocol/redis-url.ts'
import { parseRestToken, parseRestUrl } from '../stores/rest-credentials.ts'
import { describeUnused } from '../stores/unused-variables.ts'
import { readEnvFiles } from './env-file.ts'
import { printReport } from './print-report.ts'
import type { Subcommand } from './subcommand.ts'

/** `tidegate doctor`: exit code 0, 1 on a failure, 2 on a warning with `--strict`. */
export const doctor: Subcommand = {
  name: 'doctor',
  summary: 'check the store that the environment names, and suggest fixes',
  usage: `Usage: tidegate doctor [options]

Examines the store that the environment names: UPSTASH_REDIS_REST_URL and _TOKEN,
UPSTASH_REDIS_URL and _TOKEN, KV_REST_API_URL and _TOKEN with any prefix, or REDIS_URL.
It leaves nothing behind.

  --url <url>             the REST URL of a database or gateway, in place of the variables …
  --token <token>         … and its token
  --env-file <file>       reads a file such as .env.local or .dev.vars in place of the process's
                          variables; may be repeated: later files override earlier ones
  --redis <url>           a Redis over TCP: redis://user:password@host:port, rediss:// for TLS
  --prefix <prefix>       what the keys of the limiter begin with (ratelimit)
  --probes <count>        how many round trips to measure (20)
  --max-latency <time>    warn when half of them take longer (10ms)
  --max-memory <percent>  warn when more of maxmemory is used (80%)
  --max-errors <percent>  warn when more of the round trips fail (1%)
  --max-skew <time>       warn when the clocks are further apart (2s)
  --timeout <time>        how long to wait for one answer (2s)
  --deadline <time>       how long to take for everything (10s)
  --json                  print the report as JSON
  --strict                exit with 2 on a warning

Pass secrets in variables: other users may see flags in the process list. Exit code 0, or 1 on a
failure, or 2 on a warning with --strict.
`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: OPTIONS })
    const found = findStore(values)
    if (typeof found === 'string') {
      const finding = { check: 'reachability', level: 'failure', says: found } as const
      const report: Report = { ok: false, level: 'failure', findings: [finding], took: 0 }
      if (values.json) console.log(JSON.stringify(report, null, 2))
      else console.error(`tidegate doctor: ${found}`)
      return 1
    }
    const { target, address, name, close } = found
    try {
      const report = await examine(target, {
        address,
        prefix: values.prefix,
        probes: values.probes === undefined ? undefined : Number(values.probes),
        maxLatency: duration(values['max-latency']),
        maxMemory: percent('--max-memory', values['max-memory']),
        maxErrors: percent('--max-errors', values['max-errors']),
        maxSkew: duration(values['max-skew']),
        timeout: duration(values.timeout),
        deadline: duration(values.deadline),
      })
      return printReport(`The store that ${name} names:`, report, values)
    } finally {
      close()
    }
  },
}

const OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  redis: { type: 'string' },
  'env-file': { type: 'string', multiple: true },
  prefix: { type: 'string' },
  probes: { type: 'string' },
  'max-latency': { type: 'string' },
  'max-memory': { type: 'string' },
  'max-errors': { type: 'string' },
  'max-skew': { type: 'string' },
  timeout: { type: 'string' },
  deadline: { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
} as const

/** The store that a flag or variable names. */
interface NamedStore {
  readonly target: Target
  readonly address?: string | undefined
  /** The flag or variable that names it, for the head of the table. Never a part of a URL. */
  readonly name: string
  close(): unknown
}

type Flags = Partial<Readonly<Record<'url' | 'token' | 'redis', string>>> & {
  readonly 'env-file'?: readonly string[]
}

const NO_STORE =
  'the environment names no store, so each isolate would count in its own memory. Set UPSTASH_REDIS_REST_URL and ' +
  'UPSTASH_REDIS_REST_TOKEN, KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL; or pass --url and ' +
  '--token, or --redis'

/**
 * Returns the store, or the reason why it cannot be used: no variable names it, or a variable is
 * wrong. Throws a `ConfigError` for a wrong flag.
 */
function findStore(flags: Flags): NamedStore | string {
  const files = flags['env-file']
  const env = files === undefined ? processEnv() : readEnvFiles('--env-file', files)
  try {
    return readStore(flags, env) ?? NO_STORE + describeUnused(env)
  } catch (error) {
    if (error instanceof ConfigError && !error.option.startsWith('--')) return error.message
    throw error
  }
}

/** The store that the flags name, else the environment, in the order of `storeFromEnv`. */
function readStore(flags: Flags, env: Environment): NamedStore | undefined {
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
    const named = { url: parseRestUrl('--url', url), token: parseRestToken('--token', token) }
    return { target: named, name: '--url', close() {} }
  }
  const where = files === undefined ? '' : ` in ${files.join(', ')}`
  const named = resolveStore([env], 'REDIS_URL')
  if (named?.kind === 'redis') return redisOverTcp(named.urlName, named.url, where)
  if (named?.kind !== 'rest') return undefined
  return { target: named.credentials(), name: named.urlName + where, close() {} }
}

/** Opens the connection with the first command, and never a second time. */
function redisOverTcp(option: string, url: unknown, where = ''): NamedStore {
  const address = checkRedisUrl(option, url).href
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
    name: option + where,
    address,
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

/** `doctor` of the library checks the duration. */
const duration = (text: string | undefined) => text as Duration | undefined

function percent(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, number] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? []
  if (number !== undefined && Number(number) <= 100) return Number(number) / 100
  throw new ConfigError(option, 'a percentage such as 80%', describeValue(text))
}
