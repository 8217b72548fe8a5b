import type { MakeRule } from '../simulation/isolate.ts'
import type { ObjectBill } from '../simulation/object-model.ts'
import { objects } from '../simulation/rules/backends.ts'
import { getSet } from '../simulation/rules/get-set.ts'
import { tidegate } from '../simulation/rules/tidegate.ts'
import { upstash } from '../simulation/rules/upstash.ts'
import type { Scenario } from '../simulation/scenario.ts'
import { simulate } from '../simulation/simulate.ts'

/** What a limiter does over Redis in a month. */
export interface Usage {
  /** Commands as Upstash bills them: each, and each inside a script. */
  readonly commands: number
  readonly commandsPerRequest: number
  /** Calls over the network. */
  readonly calls: number
  /** The share of the requests that is refused. */
  readonly refused: number
}

/** The limiters that are compared: `Ratelimit.fixedWindow` and the GET, then SET of many guides. */
export const RIVALS = { upstash, getSet } as const satisfies Readonly<Record<string, MakeRule>>

/** Simulates a scenario, and extrapolates to `requests`. */
export async function usageOf(
  scenario: Scenario,
  rule: MakeRule,
  requests: number,
): Promise<Usage> {
  const figures = await simulate(scenario, rule)
  const share = 1 / figures.requests
  return {
    commands: Math.round(requests * figures.billed * share),
    commandsPerRequest: figures.billed * share,
    calls: Math.round(requests * figures.callsPerRequest),
    refused: figures.refused * share,
  }
}

/** The same for Tidegate in Durable Objects. */
export async function objectUsageOf(
  scenario: Scenario,
  lease: boolean,
  requests: number,
): Promise<ObjectBill> {
  let bill: ObjectBill = { requests: 0, rowsWritten: 0 }
  const backend = objects((whole) => {
    bill = whole
  })
  const figures = await simulate(scenario, tidegate({ lease, backend }))
  const scale = requests / figures.requests
  return {
    requests: Math.round(bill.requests * scale),
    rowsWritten: Math.round(bill.rowsWritten * scale),
  }
}
