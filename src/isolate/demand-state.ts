import type { Clock } from '../clock.ts'
import type { Demand, Grant, Observed, Owed } from '../stores/store.ts'
import { addUnits, type Lease, refillSize } from './lease.ts'
import { ifOpen, type ObservedWindow, resetIn, retryIn } from './observed-window.ts'
import { type KeyRecord, learn, type SentDemand } from './record.ts'

/** A demand of one call, and the record of its key. */
export interface DemandState {
  readonly demand: Demand
  readonly record: KeyRecord
  /** `undefined` if the demand's policy does not lease. */
  readonly lease: Lease | undefined
  /** For how many ms of requests the policy takes units ahead. */
  readonly ahead: number
  /** The record's `windowId` when the call began. */
  readonly windowId: number
  /** Whether leased units pay for the demand. Otherwise the store is called. */
  readonly isPaid: boolean
  /** Whether the store is certain to refuse the demand. */
  readonly isRefused: boolean
}

/** A demand that was sent, and the state of its record then. */
export interface SentState extends SentDemand {
  readonly state: DemandState
  /** What the call charges its key with. */
  readonly owed: Owed | undefined
}

/** A demand that takes nothing. It may open a window, which needs a name of its own. */
export const lookAt = (record: KeyRecord, demand: Demand): DemandState => ({
  demand: {
    ...demand,
    cost: 0,
    reserve: 0,
    owed: undefined,
    settling: demand.settling && crypto.randomUUID(),
  },
  record,
  lease: undefined,
  ahead: 0,
  windowId: record.windowId,
  isPaid: false,
  isRefused: false,
})

export const NO_GRANT: Grant = { granted: 0, used: 0, resetIn: 0, retryIn: 0 }

/** Returns how many units to take in advance together with a demand. */
export const refillOf = (
  { demand, record, ahead }: DemandState,
  lease: Lease,
  now: number,
): number => refillSize(lease, record.window, demand.limit, ahead, now)

/**
 * Returns the hint for the store: the open window that this isolate has observed. `undefined` if
 * the window may have been lost, or is longer than the policy's.
 */
export function observedBy(
  { demand, record, lease }: DemandState,
  now: number,
  clock: Clock,
): Observed | undefined {
  const { window, isUncertain } = record
  // A look, or a charge, is no plain count.
  if (demand.settling || (demand.cost === 0 && lease === undefined)) return undefined
  if (window === undefined || isUncertain || window.until - now > demand.window) return undefined
  return { used: window.used, isOpen: () => ifOpen(window, clock()) !== undefined }
}

/** Updates the record from a grant, keeps the units taken in advance, and returns the rest. */
export function receive(
  sent: SentState | undefined,
  grant: Grant,
  since: number,
  now: number,
): Grant {
  // A store made of several stores may have counted in another store. The record is of this store.
  if (!sent || (grant.source ?? 'store') !== 'store') return grant
  const { demand, record, lease } = sent.state
  // Reserved units may be given back, so only settled units are certain.
  const seen = demand.settling ? { ...grant, used: grant.settled ?? 0 } : grant
  const isCurrent = learn(record, sent, seen, since, now)
  record.reserved = grant.used - seen.used
  const { window } = record
  if (window && window.used >= demand.limit) record.exhaustedUntil = window.until
  const told =
    grant.window === 'observed' && sent.window
      ? withWindowTimes(grant, demand, sent.window, now)
      : grant
  if (lease === undefined) return told
  // A custom store may grant more than the demand and not count the excess.
  if (isCurrent) addUnits(lease, Math.min(grant.granted - demand.cost, sent.reserve))
  // Answers may arrive out of order, and may be for a higher limit than this demand's.
  const spent = Math.max(record.window?.used ?? 0, grant.used) - lease.units
  return {
    ...told,
    granted: Math.min(grant.granted, demand.cost),
    used: Math.max(0, Math.min(spent, demand.limit)),
  }
}

/** A grant that was counted in the observed window, with the times of that window. */
function withWindowTimes(
  { granted, used }: Grant,
  demand: Demand,
  window: ObservedWindow,
  now: number,
): Grant {
  const wait = granted < demand.cost ? retryIn(window, now) : 0
  return { granted, used, resetIn: resetIn(window, now), retryIn: wait }
}

/** Returns the grant for a demand that this isolate decides by itself, from the key's record. */
export function localGrant(
  { demand, record, lease, isRefused }: DemandState,
  granted: number,
  source: 'known' | 'lease',
  now: number,
): Grant {
  const { window } = record
  if (window === undefined) return { ...NO_GRANT, granted, unseen: !granted, source }
  return {
    granted,
    // If an operator has set the count below 0, the lease may hold more units than `used`.
    used: Math.max(0, Math.min(window.used + record.reserved - (lease?.units ?? 0), demand.limit)),
    resetIn: resetIn(window, now),
    retryIn: isRefused ? retryIn(window, now) : 0,
    source,
  }
}

/**
 * Reserves leased units for this call, so that concurrent calls do not spend them. Returns the
 * states for which the store is called.
 */
export function setAside(states: readonly DemandState[]): readonly DemandState[] {
  const unpaid: DemandState[] = []
  for (const state of states) {
    if (state.isPaid && state.lease) state.lease.units -= state.demand.cost
    else unpaid.push(state)
  }
  return unpaid
}

/** Gives up the reservation, unless the window of the units has ended. */
export function giveBack({ demand, record, lease, windowId }: DemandState): void {
  if (lease && record.windowId === windowId) lease.units += demand.cost
}
