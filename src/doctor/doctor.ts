import { stopwatch } from '../clock.ts'
import { isUpstash } from '../stores/redis-protocol/script.ts'
import type { CheckContext } from './context.ts'
import { checkCounting } from './counting.ts'
import { deleteProbes } from './delete-probes.ts'
import { checkExpiry } from './expiry.ts'
import { type DoctorOptions, readOptions } from './options.ts'
import { createProbeTarget } from './probe-target.ts'
import { checkReachability, checkTransport } from './reachability.ts'
import { type Finding, type Latency, type Report, worstOf } from './report.ts'
import { checkRoundTrips } from './round-trip.ts'
import { checkServer } from './server.ts'
import { readTarget, type Target } from './target.ts'
import { startTimeBudget } from './time-budget.ts'

export type { Send } from '../stores/redis-protocol/rest.ts'
export type { DoctorOptions } from './options.ts'
export type { Check, Finding, Latency, Level, Report } from './report.ts'
export type { Target } from './target.ts'

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
