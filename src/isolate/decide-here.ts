import type { GuardOptions } from '../stores/guard-options.ts'
import type { Grant } from '../stores/store.ts'
import { grantHere } from './debts.ts'
import { type DemandState, NO_GRANT } from './demand-state.ts'
import { countedGrant, isCounting, localCount, unitsLeft } from './local-count.ts'
import { shownWindow } from './record.ts'

/**
 * Decides demands without the store, by the fallbacks of their policies. If one policy is closed,
 * all are refused. Otherwise policies that count here decide, and open policies let the request
 * pass.
 *
 * @param isOwed whether the store is charged later with what is granted here against a count
 * @param wait in ms, until a client that a closed policy refuses may come back
 */
export function decideHere(
  states: readonly DemandState[],
  policies: GuardOptions['policies'],
  isOwed: boolean,
  now: number,
  wait: number,
): readonly Grant[] {
  const kinds = states.map(({ demand }) => policies?.get(demand.policy)?.fallback ?? 'local')
  if (kinds.includes('closed')) {
    return states.map(() => ({ ...NO_GRANT, retryIn: wait, unseen: true, source: 'closed' }))
  }
  const checked = states.map(({ demand, record }, index) => {
    const kind = kinds[index] ?? 'local'
    if (kind === 'open') return { demand, record, count: undefined, left: 0, fits: true }
    const count = localCount(record.local, shownWindow(record, now), demand, now)
    const left = unitsLeft(count, demand, kind)
    return { demand, record, count, left, fits: demand.cost <= left }
  })
  const isGranted = checked.every(({ fits }) => fits)
  return checked.map(({ demand, record, count, left, fits }) => {
    const units = isGranted ? demand.cost : 0
    if (count === undefined) return { ...NO_GRANT, granted: units, unseen: true, source: 'open' }
    if (left - units < demand.cost) record.exhaustedUntil = count.over
    if (units > 0) {
      record.local = count
      grantHere(count, units, isOwed, now)
    }
    return countedGrant(count, demand, units, left, !fits, now)
  })
}

/** Refuses demands of which one does not fit this isolate's count, although the store answers. */
export function refuseHere(states: readonly DemandState[], now: number): readonly Grant[] {
  return states.map(({ demand, record: { local } }) => {
    if (local && isCounting(local, demand, now)) {
      const left = unitsLeft(local, demand, 'local')
      if (left < demand.cost) return countedGrant(local, demand, 0, left, true, now, 'known')
    }
    return { ...NO_GRANT, unseen: true, source: 'known' }
  })
}
