import { assertCount, assertHeaderName, assertOption, describeType, isCount } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { type Duration, parseTimeout } from '../policy/duration.ts'
import { parseUrl } from '../url.ts'
import { DEFAULT_MAX_RATE, HIGHEST_MAX_RATE, readPace } from './pace.ts'
import { typicalRequests } from './plan.ts'
import { secretsOf } from './secrets.ts'

/** What to drill, as the command line gets it. */
export interface DrillOptions {
  /** The URL of a path that a policy limits. */
  readonly url: string | undefined
  /** How many units a client may use in each window: requests, unless they cost more than one. */
  readonly limit: number | undefined
  /** How long a window is. */
  readonly window: Duration | undefined
  /** @default 'POST' */
  readonly method?: string | undefined
  /** Header fields of every request: `name: value`. Their values are secrets. */
  readonly headers?: readonly string[] | undefined
  /**
   * How many units of the limit a request takes, from 1 to `limit`.
   * @default 1
   */
  readonly cost?: number | undefined
  /**
   * The status with which the route answers a request that passes.
   * @default any of 2xx, and 304
   */
  readonly expect?: number | undefined
  /**
   * The most requests that the drill may send.
   * @default 250
   */
  readonly maxRequests?: number | undefined
  /**
   * The longest time to wait for the end of a window.
   * @default '2m'
   */
  readonly maxWait?: Duration | undefined
  /**
   * The time between the starts of two requests. Shorter if the window would end otherwise.
   * @default '100ms'
   */
  readonly pace?: Duration | undefined
  /**
   * The most requests a second, from 1 to 1000.
   * @default 100
   */
  readonly maxRate?: number | undefined
  /**
   * How long to wait for one response.
   * @default '10s'
   */
  readonly timeout?: Duration | undefined
}

/** The options, checked and with defaults. Times are in ms. */
export interface Settings {
  readonly url: URL
  readonly limit: number
  readonly cost: number
  /** How many requests the limit admits in a window. */
  readonly admitted: number
  readonly window: number
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly expect: number | undefined
  /** Texts that no output may contain. */
  readonly secrets: readonly string[]
  readonly maxRequests: number
  readonly maxWait: number
  readonly pace: number
  readonly timeout: number
}

/** Checks the options. Throws a `ConfigError` that names the flag, and never shows a secret. */
export function readOptions(options: DrillOptions): Settings {
  const { limit, method = 'POST', headers = [], expect, cost = 1, maxRequests = 250 } = options
  const url = parseTarget(options.url)
  assertCount('--limit', limit, 1, 5000)
  const window = parseTimeout('--window', options.window)
  assertOption(
    isCount(cost, 1, limit),
    '--cost',
    cost,
    `a whole number from 1 to --limit, ${limit}`,
  )
  const admitted = Math.floor(limit / cost)
  assertCount('--max-requests', maxRequests, 1, 20_000)
  const isMethod = /^[A-Z]{3,10}$/.test(method) && !/^(?:CONNECT|TRACE)$/.test(method)
  assertOption(isMethod, '--method', method, 'a method in capital letters, such as GET or POST')
  const isSuccess = expect === undefined || (isCount(expect, 200, 599) && !REFUSALS.has(expect))
  assertOption(isSuccess, '--expect', expect, 'a status from 200 to 599, but 429 and 503')
  const fields = headers.map(parseField)
  const { maxRate = DEFAULT_MAX_RATE } = options
  assertCount('--max-rate', maxRate, 1, HIGHEST_MAX_RATE)
  const pace = readPace({ admitted, window, maxRate, pace: options.pace })
  const needed = typicalRequests(admitted)
  if (needed > maxRequests) {
    throw new ConfigError('--max-requests', `at least ${needed} for this limit`, `${maxRequests}`)
  }
  return {
    url,
    limit,
    cost,
    admitted,
    window,
    method,
    headers: Object.fromEntries(fields),
    expect,
    secrets: secretsOf(
      fields.map(([, value]) => value),
      url,
    ),
    maxRequests,
    maxWait: parseTimeout('--max-wait', options.maxWait ?? '2m'),
    pace,
    timeout: parseTimeout('--timeout', options.timeout ?? '10s'),
  }
}

/** The statuses of refusals. */
const REFUSALS = new Set([429, 503])

function parseTarget(text: string | undefined): URL {
  const expected = 'the URL of a limited path, such as https://example.com/api/user/sync'
  const url = text === undefined ? undefined : parseUrl(text)
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('URL', expected, describeType(text))
  }
  if (url.username || url.password) {
    throw new ConfigError('URL', 'no user and password', 'both (use --header)')
  }
  return url
}

/** Fields that the drill itself writes, or that change how a request is framed. */
const RESERVED =
  /^(?:user-agent|connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/

function parseField(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]*):[ \t]*([\s\S]*?)[ \t]*$/.exec(text) ?? []
  if (!text.includes(':')) {
    throw new ConfigError('--header', '"name: value"', describeType(text))
  }
  assertHeaderName('--header', name)
  const lower = name.toLowerCase()
  if (RESERVED.test(lower)) {
    throw new ConfigError('--header', 'a field that the drill does not write', lower)
  }
  if (!/^[\t\x20-\x7e\x80-\xff]+$/.test(value)) {
    throw new ConfigError('--header', 'a value in one line', describeType(value))
  }
  return [lower, value]
}
