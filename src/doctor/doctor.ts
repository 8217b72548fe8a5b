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
import { cleanUp } from './clean-up.ts'
import type { Examination, Thresholds } from './context.ts'
import { checkCounting } from './counting.ts'
import { checkExpiry } from './expiry.ts'
import { patientOf } from './probe-target.ts'
import { checkReachability, checkTransport } from './reachability.ts'
import { type Finding, type Latency, type Report, worstOf } from './report.ts'
import { checkRoundTrips } from './round-trip.ts'
import { checkServer } from './server.ts'
import { patience } from './time-budget.ts'

export type { Send } from '../stores/redis-protocol/rest.ts'
export type { Check, Finding, Latency, Level, Report } from './report.ts'

/**
 * What to examine: a database behind the REST protocol; whatever sends raw commands; or any store,
 * of which only what a store shows can be looked at.
 */
export type Target = UpstashCredentials | Send | Store

export interface DoctorOptions {
  /**
   * What the keys of the limiter begin with.
   * @default 'ratelimit'
   */
  readonly prefix?: string | undefined
  /**
   * How many round trips to measure, at most 1000. In all the doctor sends about 25 requests more;
   * a Worker on Cloudflare's free plan may send 50.
   * @default 20
   */
  readonly probes?: number | undefined
  /**
   * Warns when half of the round trips take longer.
   * @default '10ms'
   */
  readonly maxLatency?: Duration | undefined
  /**
   * Warns when more of `maxmemory` is used, as a part of 1.
   * @default 0.8
   */
  readonly maxMemory?: number | undefined
  /**
   * Warns when more of the round trips fail, as a part of 1.
   * @default 0.01
   */
  readonly maxErrors?: number | undefined
  /**
   * Warns when the server's clock and ours are further apart.
   * @default '2s'
   */
  readonly maxSkew?: Duration | undefined
  /**
   * How long to wait for one answer.
   * @default '2s'
   */
  readonly timeout?: Duration | undefined
  /**
   * How long to take for everything, cleaning up included.
   * @default '10s'
   */
  readonly deadline?: Duration | undefined
  /**
   * Where a function sends to, so that the doctor can tell whether that is encrypted. Not shown.
   */
  readonly address?: string | undefined
  /**
   * Sends the requests, where the credentials are given and the platform's `fetch` will not do.
   * @default fetch
   */
  readonly fetch?: typeof fetch | undefined
  /**
   * With what the server's clock is compared.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

/**
 * Examines a store as it is: whether it is reached, lets us in, may be written to, counts, forgets
 * in time; how fast it is; what its server tells of its clock, memory and keys. Probe keys have a
 * random name and a short expiry, and are deleted at the end.
 *
 * Throws a `ConfigError` for an option that cannot work; a sick store is a report. No text in it
 * holds a key, a token or a client.
 *
 * `tidegate/doctor`
 */
export async function doctor(target: Target, options: DoctorOptions = {}): Promise<Report> {
  const { prefix, thresholds, timeout, deadline, fetcher, clock } = readOptions(options)
  const { source, speaks, address } = readTarget(target, options.address, fetcher)
  const start = stopwatch()
  // The last answer that the deadline has time for is that of the clean-up.
  const each = Math.min(timeout, deadline / 2)
  const time = patience(each, deadline - each)
  const keyLocking = address !== undefined && isUpstash(address.href)
  const patient = patientOf(source, prefix, time, keyLocking)
  const exam = { patient, patience: time, speaks, address, prefix, clock, thresholds }

  const findings: Finding[] = []
  let latency: Latency | undefined
  try {
    latency = await examine(exam, findings)
  } finally {
    findings.push(...(await cleanUp(source, patient.traces(), each)))
  }
  const level = worstOf(findings)
  const took = Math.round(stopwatch() - start)
  return { ok: level !== 'failure', level, findings, latency, took }
}

async function examine(exam: Examination, findings: Finding[]): Promise<Latency | undefined> {
  const failed = () => worstOf(findings) === 'failure'
  findings.push(...checkTransport(exam), ...(await checkReachability(exam)))
  if (failed()) return undefined
  findings.push(...(await checkCounting(exam)))
  let latency: Latency | undefined
  if (!failed()) {
    const trips = await checkRoundTrips(exam)
    latency = trips.latency
    findings.push(...trips.findings, ...(await checkExpiry(exam, latency?.p50 ?? 0)))
  }
  // Also of a store that fails: a full memory or a replica's clock is why.
  findings.push(...(await checkServer(exam)))
  return latency
}

const KNOWN: readonly (keyof DoctorOptions)[] = [
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

/** Looked up per request, so that whoever wraps `fetch` later (Next.js, a tracer) is used too. */
const globalFetch: typeof fetch = (input, init) => fetch(input, init)

function readOptions(options: DoctorOptions) {
  assertKeys('doctor', options, KNOWN)
  const { prefix = DEFAULT_PREFIX, probes = 20, fetch: fetcher = globalFetch } = options
  assertPrefix(prefix)
  if (!isCount(probes) || probes > 1000) {
    throw new ConfigError('probes', describeValue(probes), 'a whole number from 1 to 1000')
  }
  const thresholds: Thresholds = {
    probes,
    maxLatency: parseDuration('maxLatency', options.maxLatency ?? '10ms'),
    maxMemory: parsePart('maxMemory', options.maxMemory ?? 0.8),
    maxErrors: parsePart('maxErrors', options.maxErrors ?? 0.01),
    maxSkew: parseDuration('maxSkew', options.maxSkew ?? '2s'),
  }
  const timeout = parseTimeout('timeout', options.timeout ?? '2s')
  const deadline = parseTimeout('deadline', options.deadline ?? '10s')
  return { prefix, thresholds, timeout, deadline, fetcher, clock: options.clock ?? systemClock }
}

function parsePart(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new ConfigError(option, describeValue(value), 'a part of 1, such as 0.8')
}

function readTarget(target: Target, address: string | undefined, fetcher: typeof fetch) {
  const where = address === undefined ? undefined : parseUrl(address)
  if (address !== undefined && where === undefined) {
    throw new ConfigError('address', 'no URL', 'the URL that the function sends to')
  }
  if (typeof target === 'function') {
    return { source: target, speaks: 'redis', address: where } as const
  }
  if (typeof target !== 'object' || target === null) {
    throw new ConfigError('doctor', describeType(target), '{ url, token }, a function, or a store')
  }
  if ('take' in target) return { source: target, speaks: 'store', address: where } as const
  const credentials = {
    url: parseRestUrl('url', target.url),
    token: parseRestToken('token', target.token),
  }
  const source = restSender(credentials.url, credentials.token, fetcher)
  return { source, speaks: 'rest', address: new URL(credentials.url) } as const
}
