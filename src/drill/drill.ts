import type { Network } from './addresses.ts'
import { checkAgreement } from './agreement.ts'
import { type Burst, isRedirect, runBurst } from './burst.ts'
import { keepClosed } from './closed-window.ts'
import type { DrillContext, VariantFindings } from './context.ts'
import { checkCoverage, failureOf, uncoveredIn } from './coverage.ts'
import { checkForgedAddress } from './forged-address.ts'
import { checkIpv6Neighbour } from './ipv6-neighbour.ts'
import { checkLimit } from './limit.ts'
import { checkMethod } from './method.ts'
import { checkNextWindow } from './next-window.ts'
import type { Settings } from './options.ts'
import { checkProblem } from './problem.ts'
import { checkRateLimit } from './ratelimit.ts'
import { checkReachability } from './reachability.ts'
import { type Finding, type Report, type TriedVariant, worstOf } from './report.ts'
import { checkRetryAfter } from './retry-after.ts'
import { redact } from './secrets.ts'
import { type DrillTime, type Session, SYSTEM_TIME, startSession } from './session.ts'
import { checkSpelling } from './spelling.ts'
import { checkXRateLimit } from './x-ratelimit.ts'

/** What the drill runs with, besides its settings. */
export interface DrillHost {
  /** The addresses of the URL's host. The drill sends to the first that can be reached. */
  readonly addresses: readonly string[]
  readonly network: Network
  readonly userAgent: string
  /** Announces a wait before it begins. The text contains no secret. */
  readonly notify: (text: string) => void
  readonly time?: DrillTime
}

/** What is known so far. */
interface Progress {
  readonly findings: Finding[]
  readonly variants: TriedVariant[]
  burst?: Burst
}

/**
 * Sends requests to a deployment until its limit refuses them, then tries to get around the limit,
 * and waits for the next window. Problems of the deployment are findings of the report, whose texts
 * contain no secret.
 */
export async function drill(settings: Settings, host: DrillHost): Promise<Report> {
  const { addresses, network, userAgent, time = SYSTEM_TIME } = host
  const start = time.clock()
  const sender = network.createSender(settings.url, addresses, settings.timeout, time.clock)
  const session = startSession(sender, settings, userAgent, time)
  const progress: Progress = { findings: [], variants: [] }
  const reason = await runChecks(settings, session, host, progress).catch((error) => error)
  const failures = session.failures()
  progress.findings.push(
    ...optional(reason === undefined ? undefined : failureOf(reason)),
    ...optional(checkCoverage(progress.findings, settings, reason)),
    ...optional(failures.length > 0 ? failedRequests(failures) : undefined),
  )

  const show = (text: string) => redact(text, settings.secrets)
  const findings = progress.findings.map((one) => ({
    ...one,
    says: show(one.says),
    remedy: one.remedy && show(one.remedy),
  }))
  const level = worstOf(findings)
  const { burst } = progress
  return {
    ok: level !== 'failure' && level !== 'not examined',
    level,
    notExamined: uncoveredIn(findings),
    target: targetOf(settings),
    burst: burst && { sent: burst.answers.length, passed: burst.passed },
    findings,
    variants: progress.variants,
    requests: session.sent(),
    took: Math.round(time.clock() - start),
  }
}

/** Method and URL without the query, which may hold a token. */
export const targetOf = ({ method, url, secrets }: Settings) =>
  redact(`${method} ${url.origin}${url.pathname}`, secrets)

async function runChecks(
  settings: Settings,
  session: Session,
  { addresses, network, notify }: DrillHost,
  progress: Progress,
): Promise<void> {
  const { findings, variants } = progress
  const burst = await runBurst({ settings, session, notify })
  progress.burst = burst
  findings.push(checkReachability({ burst, settings }))
  const [first] = burst.answers
  if (first !== undefined && isRedirect(first)) return

  const closed = keepClosed(session, settings, burst)
  const context: DrillContext = { settings, session, burst, closed, notify }
  findings.push(await checkLimit(context), checkRateLimit(context), checkXRateLimit(context))
  findings.push(checkAgreement(context), checkProblem(context))

  await closed.close()
  const add = (found: VariantFindings) => {
    findings.push(...found.findings)
    variants.push(...found.variants)
    if (found.stoppedBy !== undefined) throw found.stoppedBy
  }
  add(await checkForgedAddress(context))
  add(await checkSpelling(context))
  add(await checkMethod(context))
  add(await checkIpv6Neighbour(context, addresses, network.ownAddresses()))

  const { finding, reopened } = await checkRetryAfter(context)
  findings.push(finding, await checkNextWindow(context, reopened))
}

const optional = <Value>(value: Value | undefined) => (value === undefined ? [] : [value])

const failedRequests = (failures: readonly string[]): Finding => ({
  check: 'errors',
  level: 'warning',
  says: `${failures.length} requests got no response and were sent again (${[...new Set(failures)].join(', ')}). The deployment may have counted them.`,
  remedy: 'Run the drill again, where the connection is stable.',
})
