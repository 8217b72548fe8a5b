import type { Demand, Grant } from '../stores/store.ts'
import type { DemandState } from './demand-state.ts'
import type { KeyRecord } from './record.ts'

/**
 * Claims what a key owes, as a demand that charges it: no cost, and the units as reserve. A debt is
 * claimed before its call, so that no two calls charge it; if the call gets no answer, the debt
 * counts as charged. The debts of a window that has ended are dropped.
 */
export function claimDebt(
  record: KeyRecord,
  demand: Demand,
  debtors: Map<KeyRecord, Demand>,
  now: number,
): DemandState | undefined {
  debtors.delete(record)
  const { local } = record
  const owed = local?.owed ?? 0
  if (local === undefined || owed === 0) return undefined
  local.owed = 0
  return now < local.over ? chargeOf(record, demand, owed) : undefined
}

/** The demands of a request as its probe: what was granted here is charged if the store answers. */
export const probeOf = (
  states: readonly DemandState[],
  grants: readonly Grant[],
): readonly DemandState[] =>
  states.map(({ record, demand }, index) => {
    const { granted = 0, source } = grants[index] ?? {}
    if (source === 'local' && record.local) record.local.owed -= granted
    return chargeOf(record, demand, granted)
  })

function chargeOf(record: KeyRecord, demand: Demand, units: number): DemandState {
  return {
    demand: { ...demand, cost: 0, reserve: units },
    record,
    lease: undefined,
    ahead: 0,
    windowId: record.windowId,
    isPaid: false,
    isRefused: false,
  }
}
