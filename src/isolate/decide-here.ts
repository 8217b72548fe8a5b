import type { Demand, Fallback, Grant } from '../stores/store.ts'
import { type DemandState, NO_GRANT } from './demand-state.ts'
import { countedGrant, fitsLocally, localCount } from './local-count.ts'
import { ifOpen } from './observed-window.ts'
import type { KeyRecord } from './record.ts'

/**
 * Decides demands without the store, by the fallbacks of their policies. One closed policy refuses
 * all; otherwise those that count here decide, and open policies let the request pass. What is
 * granted against a count is owed to the store.
 *
 * @param wait in ms, until a client that a closed policy refuses may come back
 */
export function decideHere(
  states: readonly DemandState[],
  fallbacks: ReadonlyMap<string, Fallback> | undefined,
  debtors: Map<KeyRecord, Demand>,
  now: number,
  wait: number,
): readonly Grant[] {
  const kinds = states.map(({ demand }) => fallbacks?.get(demand.policy) ?? 'local')
  if (kinds.includes('closed')) {
    return states.map(() => ({ ...NO_GRANT, retryIn: wait, unseen: true, source: 'closed' }))
  }
  const checked = states.map(({ demand, record }, index) => {
    const kind = kinds[index] ?? 'local'
    if (kind === 'open') return { demand, record, count: undefined, fits: true }
    const count = localCount(record.local, ifOpen(record.window, now), demand, now)
    return { demand, record, count, fits: fitsLocally(count, demand, kind) }
  })
  const isGranted = checked.every(({ fits }) => fits)
  return checked.map(({ demand, record, count, fits }) => {
    const units = isGranted ? demand.cost : 0
    if (count === undefined) return { ...NO_GRANT, granted: units, unseen: true, source: 'open' }
    record.local = count
    if (!fits) record.exhaustedUntil = count.over
    if (units > 0) {
      count.granted += units
      count.owed += units
      debtors.set(record, demand)
    }
    return countedGrant(count, demand, units, !fits, now)
  })
}
