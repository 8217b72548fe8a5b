import { assertKeys, assertPrefix, describeValue, isCount } from '../checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import { type Duration, parseDuration, parseTimeout } from '../policy/duration.ts'
import { DEFAULT_PREFIX } from '../stores/key.ts'
import type { CheckContext, Thresholds } from './context.ts'

export interface DoctorOptions {
  /**
   * The prefix of the limiter's keys.
   * @default 'ratelimit'
   */
  readonly prefix?: string | undefined
  /**
   * How many round trips to measure, at most 1000. The other checks send about 25 requests. A
   * Worker on Cloudflare's free plan may send 50 in total.
   * @default 20
   */
  readonly probes?: number | undefined
  /**
   * Warns if half of the round trips take longer.
   * @default '10ms'
   */
  readonly maxLatency?: Duration | undefined
  /**
   * Warns if more of `maxmemory` is used. A fraction of 1.
   * @default 0.8
   */
  readonly maxMemory?: number | undefined
  /**
   * Warns if more of the round trips fail. A fraction of 1.
   * @default 0.01
   */
  readonly maxErrors?: number | undefined
  /**
   * Warns if the server's clock and the local clock differ by more.
   * @default '2s'
   */
  readonly maxSkew?: Duration | undefined
  /**
   * How long to wait for one answer.
   * @default '2s'
   */
  readonly timeout?: Duration | undefined
  /**
   * How long the examination may take, including the deletion of the probes.
   * @default '10s'
   */
  readonly deadline?: Duration | undefined
  /**
   * The URL that a function sends to. The doctor checks whether it is encrypted, and never shows
   * it.
   */
  readonly address?: string | undefined
  /**
   * Sends the requests, if the target is credentials.
   * @default fetch
   */
  readonly fetch?: typeof fetch | undefined
  /**
   * The clock that the server's clock is compared with.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

/** The options with their defaults. Times are in ms. */
export interface Settings extends Pick<CheckContext, 'evictions'> {
  readonly prefix: string
  readonly thresholds: Thresholds
  readonly timeout: number
  readonly deadline: number
  readonly fetcher: typeof fetch
  readonly clock: Clock
}

const OPTIONS: readonly (keyof DoctorOptions)[] = [
  'prefix',
  'probes',
  'maxLatency',
  'maxMemory',
  'maxErrors',
  'maxSkew',
  'timeout',
  'deadline',
  'address',
  'fetch',
  'clock',
]

/** Looks `fetch` up for each request, because Next.js and tracers replace it later. */
const globalFetch: typeof fetch = (input, init) => fetch(input, init)

/** Checks the options. Throws a `ConfigError` for the first wrong option. */
export function readOptions(options: DoctorOptions): Settings {
  assertKeys('doctor', options, OPTIONS)
  const { prefix = DEFAULT_PREFIX, probes = 20, fetch: fetcher = globalFetch } = options
  assertPrefix(prefix)
  if (!isCount(probes) || probes > 1000) {
    throw new ConfigError('probes', 'a whole number from 1 to 1000', describeValue(probes))
  }
  const thresholds: Thresholds = {
    probes,
    maxLatency: parseDuration('maxLatency', options.maxLatency ?? '10ms'),
    maxMemory: parseFraction('maxMemory', options.maxMemory ?? 0.8),
    maxErrors: parseFraction('maxErrors', options.maxErrors ?? 0.01),
    maxSkew: parseDuration('maxSkew', options.maxSkew ?? '2s'),
  }
  const timeout = parseTimeout('timeout', options.timeout ?? '2s')
  const deadline = parseTimeout('deadline', options.deadline ?? '10s')
  return { prefix, thresholds, timeout, deadline, fetcher, clock: options.clock ?? systemClock }
}

function parseFraction(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new ConfigError(option, 'a fraction from 0 to 1, such as 0.8', describeValue(value))
}
