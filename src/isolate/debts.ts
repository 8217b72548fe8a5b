import type { Demand, Grant, Owed } from '../stores/store.ts'
import type { LocalCount } from './local-count.ts'
import type { KeyRecord } from './record.ts'

/** Notes units that were granted here. */
export function grantHere(count: LocalCount, units: number, isOwed: boolean, now: number): void {
  count.granted += units
  if (!isOwed) return
  if (count.owed === 0) count.owedSince = now
  count.owed += units
}

/** Whether units are owed to a window that is still open. */
export const owesUnits = ({ local }: KeyRecord, now: number): boolean =>
  local !== undefined && local.owed > 0 && now < local.over

/**
 * Claims what a key owes, for a call that charges it. Claimed before the call, so that no two calls
 * charge it; if the call gets no answer, the debt counts as charged. The debts of a window that has
 * ended are dropped.
 */
export function claimDebt(local: LocalCount, { window }: Demand, now: number): Owed | undefined {
  if (local.owed === 0) return undefined
  const { owed: units, owedSince, over } = local
  local.owed = 0
  if (now >= over) return undefined
  return owedTo(over, units, now - owedSince, window, now)
}

/** The units of a request that was decided here, for the call that charges them at once. */
export function claimUnits(
  { local }: KeyRecord,
  { window }: Demand,
  { granted, source }: Grant,
  now: number,
): Owed | undefined {
  if (granted === 0) return undefined
  if (source !== 'local' || local === undefined) {
    return owedTo(now + window, granted, 0, window, now)
  }
  local.owed -= granted
  return owedTo(local.over, granted, 0, window, now)
}

/**
 * Forgets the count of this isolate once the store shows all units of it. A count of units that are
 * settled may never show them.
 */
export function endCharge(record: KeyRecord, { settling }: Demand): void {
  const { local, window } = record
  if (local === undefined || local.owed > 0) return
  if (settling || (window && window.used >= local.seen + local.granted)) record.local = undefined
}

/** Returns units to the debt, which a call that was sent at `since` has certainly not charged. */
export function returnDebt(count: LocalCount, { units, age }: Owed, since: number): void {
  const owedSince = since - age
  count.owedSince = count.owed === 0 ? owedSince : Math.min(count.owedSince, owedSince)
  count.owed += units
}

/** How many units the keys owe. */
export function owedUnits(records: Iterable<KeyRecord>, now: number): number {
  let units = 0
  for (const { local } of records) if (local && now < local.over) units += local.owed
  return units
}

/** @param age in ms since the first of the units was granted */
const owedTo = (over: number, units: number, age: number, window: number, now: number): Owed => ({
  units,
  age: Math.max(0, Math.floor(age)),
  rest: Math.min(Math.ceil(over - now), window),
})
