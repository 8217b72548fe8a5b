import { assertKeys, assertPrefix, describeType, describeValue, isCount } from '../checks.ts'
import { type Clock, stopwatch, systemClock } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import { type Duration, parseDuration, parseTimeout } from '../policy/duration.ts'
import { DEFAULT_PREFIX } from '../stores/key.ts'
import { restSender, type Send } from '../stores/redis-protocol/rest.ts'
import { isUpstash } from '../stores/redis-protocol/script.ts'
import {
  parseRestToken,
  parseRestUrl,
  type UpstashCredentials,
} from '../stores/rest-credentials.ts'
import type { Store } from '../stores/store.ts'
import { parseUrl } from '../url.ts'
import type { CheckContext, Thresholds } from './context.ts'
import { checkCounting } from './counting.ts'
import { deleteProbes } from './delete-probes.ts'
import { checkExpiry } from './expiry.ts'
import { createProbeTarget } from './probe-target.ts'
import { checkReachability, checkTransport } from './reachability.ts'
import { type Finding, type Latency, type Report, worstOf } from './report.ts'
import { checkRoundTrips } from './round-trip.ts'
import { checkServer } from './server.ts'
import { startTimeBudget } from './time-budget.ts'

export type { Send } from '../stores/redis-protocol/rest.ts'
export type { Check, Finding, Latency, Level, Report } from './report.ts'

/**
 * What to examine: the credentials of a database over REST, a function that sends raw commands, or
 * a store. For a store, only the checks that need nothing but `take` run.
 */
export type Target = UpstashCredentials | Send | Store

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

/**
 * Examines a live store: whether it can be reached, accepts the credentials, permits writing,
 * counts correctly and expires keys in time; how fast it is; and the clock, memory and keys of its
 * server. Probe keys have random names and expire soon, and are deleted at the end.
 *
 * Throws a `ConfigError` for an invalid option. Problems of the store are findings of the report,
 * whose texts never contain a key, a token or a client.
 *
 * `tidegate/doctor`
 */
export async function doctor(target: Target, options: DoctorOptions = {}): Promise<Report> {
  const { prefix, thresholds, timeout, deadline, fetcher, clock } = readOptions(options)
  const { source, protocol, address } = readTarget(target, options.address, fetcher)
  const start = stopwatch()
  // Time for one call is reserved for the deletion of the probes.
  const callMs = Math.min(timeout, deadline / 2)
  const timeBudget = startTimeBudget(callMs, deadline - callMs)
  const keyLocking = address !== undefined && isUpstash(address.href)
  const probeTarget = createProbeTarget(source, prefix, timeBudget, keyLocking)
  const context = { target: probeTarget, timeBudget, protocol, address, prefix, clock, thresholds }

  const findings: Finding[] = []
  let latency: Latency | undefined
  try {
    latency = await examine(context, findings)
  } finally {
    findings.push(...(await deleteProbes(source, probeTarget.probeKeys(), callMs)))
  }
  const level = worstOf(findings)
  const took = Math.round(stopwatch() - start)
  return { ok: level !== 'failure', level, findings, latency, took }
}

async function examine(context: CheckContext, findings: Finding[]): Promise<Latency | undefined> {
  const failed = () => worstOf(findings) === 'failure'
  findings.push(...checkTransport(context), ...(await checkReachability(context)))
  if (failed()) return undefined
  findings.push(...(await checkCounting(context)))
  let latency: Latency | undefined
  if (!failed()) {
    const trips = await checkRoundTrips(context)
    latency = trips.latency
    findings.push(...trips.findings, ...(await checkExpiry(context, latency?.p50 ?? 0)))
  }
  // Also for a store that failed: full memory, for example, is why writes fail.
  findings.push(...(await checkServer(context)))
  return latency
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

function readOptions(options: DoctorOptions) {
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

function readTarget(target: Target, address: string | undefined, fetcher: typeof fetch) {
  const url = address === undefined ? undefined : parseUrl(address)
  if (address !== undefined && url === undefined) {
    throw new ConfigError('address', 'the URL that the function sends to', 'another string')
  }
  if (typeof target === 'function') {
    return { source: target, protocol: 'redis', address: url } as const
  }
  if (typeof target !== 'object' || target === null) {
    throw new ConfigError('doctor', '{ url, token }, a function, or a store', describeType(target))
  }
  if ('take' in target) return { source: target, protocol: 'store', address: url } as const
  const credentials = {
    url: parseRestUrl('url', target.url),
    token: parseRestToken('token', target.token),
  }
  const source = restSender(credentials.url, credentials.token, fetcher)
  return { source, protocol: 'rest', address: new URL(credentials.url) } as const
}
