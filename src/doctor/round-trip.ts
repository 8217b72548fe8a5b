import type { Clock } from '../clock.ts'
import { certainUntil } from '../isolate/observed-window.ts'
import type { Grant, Observed } from '../stores/store.ts'
import type { CheckContext } from './context.ts'
import { type Failure, failureOf } from './failure.ts'
import type { Finding, Latency } from './report.ts'

const TRIP = { policy: 'doctor-trip', limit: 1_000_000 }

interface RoundTrips {
  readonly latency: Latency | undefined
  readonly findings: readonly Finding[]
}

/**
 * Measures how long a rate limit check takes, how many fail, and whether each is counted once. The
 * probes are takes, one after another, as a limiter sends them: first the script, then plain counts
 * in the window that it opened.
 */
export async function checkRoundTrips(context: CheckContext): Promise<RoundTrips> {
  const { target, timeBudget, thresholds } = context
  const { stopwatch } = timeBudget
  // A slow store is measured less often, so that time is left for the other checks.
  const reservedMs = (timeBudget.leftMs() * 2) / 3
  const times: number[] = []
  const failures: Failure[] = []
  let observed: Observed | undefined
  while (times.length + failures.length < thresholds.probes) {
    if (timeBudget.leftMs() < reservedMs || failures.at(-2)?.kind === 'timeout') break
    const start = stopwatch()
    try {
      const grant = await target.takeObserved({ ...TRIP, cost: 1 }, observed)
      times.push(stopwatch() - start)
      observed = grant && observedAfter(grant, start, observed, stopwatch)
    } catch (error) {
      failures.push(failureOf(error))
    }
  }
  const latency = latencyOf(times)
  return {
    latency,
    findings: [
      ...(latency ? [latencyFinding(latency, thresholds.maxLatency)] : []),
      errorsFinding(times.length, failures, thresholds.maxErrors),
      ...(await checkRetries(context, times.length, failures.length)),
    ],
  }
}

/** Returns the hint for the next take, after a grant to a take that was sent at `since`. */
function observedAfter(
  grant: Grant,
  since: number,
  before: Observed | undefined,
  stopwatch: Clock,
): Observed {
  const { used, window } = grant
  if (window === 'observed' && before) return { ...before, used }
  const until = certainUntil(grant, since)
  return { used, isOpen: () => stopwatch() < until }
}

function latencyOf(times: readonly number[]): Latency | undefined {
  const sorted = times.toSorted((a, b) => a - b)
  const percentile = (part: number) => sorted[Math.ceil(part * sorted.length) - 1]
  const [p50, p99] = [percentile(0.5), percentile(0.99)]
  if (p50 === undefined || p99 === undefined) return undefined
  return { p50: roundMs(p50), p99: roundMs(p99), probes: times.length }
}

/** To hundredths: a loopback takes less than a tenth of a millisecond. */
const roundMs = (ms: number) => Math.round(ms * 100) / 100

function latencyFinding({ p50, p99, probes }: Latency, max: number): Finding {
  const measured = `p50 ${p50} ms, p99 ${p99} ms over ${probes} round trips`
  if (p50 <= max) return { check: 'latency', level: 'ok', says: `${measured}.` }
  return {
    check: 'latency',
    level: 'warning',
    says: `${measured}: half of all checks wait longer than ${max} ms.`,
    remedy:
      'Move the database to the region where this code runs (or the code to it); for an edge in many regions add read regions, or count in a Durable Object.',
  }
}

function errorsFinding(good: number, failures: readonly Failure[], max: number): Finding {
  const sent = good + failures.length
  const part = sent === 0 ? 0 : failures.length / sent
  const check = 'errors'
  if (failures.length === 0) {
    return { check, level: 'ok', says: `None of ${sent} round trips failed.` }
  }
  const [first] = failures
  const kind = first?.kind === 'timeout' ? 'timed out' : 'failed'
  const says = `${failures.length} of ${sent} round trips failed (the first ${kind}: ${first?.message}).`
  if (part <= max) return { check, level: 'info', says }
  return {
    check,
    level: 'warning',
    says,
    remedy:
      'Run the doctor again later. If calls still fail, check the log of the server and the quota of the plan. While calls fail, each isolate counts alone.',
  }
}

/** Whether a proxy or client repeats takes. A repeated take counts twice, so the count shows it. */
async function checkRetries(
  { target }: CheckContext,
  good: number,
  bad: number,
): Promise<readonly Finding[]> {
  if (good === 0) return []
  const check = 'retries'
  try {
    const [{ used } = { used: 0 }] = await target.take({ ...TRIP, cost: 0 })
    if (used >= good && used <= good + bad) {
      return [{ check, level: 'ok', says: `Each of ${good} takes was counted once.` }]
    }
    if (used < good) {
      return [
        {
          check: 'counting',
          level: 'failure',
          says: `Only ${used} of ${good} takes were counted.`,
          remedy:
            'Counts are lost: check whether keys are evicted, or whether a replica answers reads.',
        },
      ]
    }
    return [
      {
        check,
        level: 'failure',
        says: `${good + bad} takes were sent and ${used} were counted: something between this code and the server repeats them.`,
        remedy: 'Turn off the retries of the client, proxy or gateway: each retry counts again.',
      },
    ]
  } catch {
    return [{ check, level: 'info', says: 'The count could not be read back.', isSkipped: true }]
  }
}
