import { isUpstash } from '../stores/redis-protocol/script.ts'
import type { TimeSource } from '../timer.ts'
import type { CheckContext } from './context.ts'
import { checkCounting } from './counting.ts'
import { deleteProbes } from './delete-probes.ts'
import { checkExpiry } from './expiry.ts'
import type { Settings } from './options.ts'
import { createProbeTarget } from './probe-target.ts'
import { checkReachability, checkTransport } from './reachability.ts'
import { type Finding, type Latency, type Report, worstOf } from './report.ts'
import { checkRoundTrips } from './round-trip.ts'
import { checkServer } from './server.ts'
import type { ResolvedTarget } from './target.ts'
import { startTimeBudget } from './time-budget.ts'

/** Runs all checks within the deadline, and deletes the probes. */
export async function runChecks(
  { source, protocol, address }: ResolvedTarget,
  { prefix, thresholds, timeout, deadline, clock, evictions }: Settings,
  time: TimeSource = {},
): Promise<Report> {
  // Time for one call is reserved for the deletion of the probes.
  const callMs = Math.min(timeout, deadline / 2)
  const timeBudget = startTimeBudget(callMs, deadline - callMs, time)
  const start = timeBudget.stopwatch()
  const keyLocking = address !== undefined && isUpstash(address.href)
  const target = createProbeTarget(source, prefix, timeBudget, keyLocking)
  const context = { target, timeBudget, protocol, address, prefix, clock, thresholds, evictions }

  const findings: Finding[] = []
  let latency: Latency | undefined
  try {
    latency = await examine(context, findings)
  } finally {
    findings.push(...(await deleteProbes(source, target.probeKeys(), callMs, time)))
  }
  const level = worstOf(findings)
  const took = Math.round(timeBudget.stopwatch() - start)
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
