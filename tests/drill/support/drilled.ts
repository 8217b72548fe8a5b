import { expect } from 'vitest'
import { type Network, systemNetwork } from '../../../src/drill/addresses.ts'
import { drill } from '../../../src/drill/drill.ts'
import { type DrillOptions, readOptions } from '../../../src/drill/options.ts'
import type { Check } from '../../../src/drill/report.ts'
import type { ManualClock } from '../../../src/testing/index.ts'
import { LIMIT, type Plan, startDeployment } from './deployment.ts'

const NETWORK: Network = { ...systemNetwork, ownAddresses: () => [] }

/** Time that passes as soon as the drill waits. */
const impatient = (clock: ManualClock) => ({
  clock,
  wallClock: clock,
  timer(ms: number, run: () => void) {
    clock.advance(ms)
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  },
})

interface More {
  readonly options?: Partial<DrillOptions>
  /** The query of the URL. */
  readonly query?: string
  readonly network?: Network
  readonly addresses?: readonly string[]
  /** Runs when the deployment has started. */
  readonly before?: (deployment: Awaited<ReturnType<typeof startDeployment>>) => unknown
}

/** Drills a deployment with a weakness, and stops it. */
export async function drilled(plan: Plan = {}, more: More = {}) {
  const { options = {}, query = '', network = NETWORK, addresses = ['127.0.0.1'], before } = more
  const deployment = await startDeployment(plan)
  const waits: string[] = []
  try {
    await before?.(deployment)
    const settings = readOptions({
      url: deployment.url + query,
      limit: LIMIT,
      window: '1m',
      ...options,
    })
    const report = await drill(settings, {
      addresses,
      network,
      userAgent: 'tidegate-drill/test',
      notify: (text) => waits.push(text),
      time: impatient(deployment.clock),
    })
    const text = JSON.stringify(report)
    for (const { level, remedy } of report.findings) {
      if (level === 'warning' || level === 'failure') expect(remedy).toMatch(/^[A-Z].{20,}\.$/)
    }
    const of = (check: Check) => report.findings.find((finding) => finding.check === check)
    const bad = report.findings.flatMap(({ check, level }) =>
      level === 'ok' || level === 'info' ? [] : [`${check}: ${level}`],
    )
    return { ...report, of, bad, text, waits, received: deployment.requests }
  } finally {
    await deployment.stop()
  }
}
