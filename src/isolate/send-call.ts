import { systemTimer } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import { StoreError } from '../errors.ts'
import type { GuardOptions } from '../stores/guard-options.ts'
import type { Demand, Grant, Store, TakeOptions } from '../stores/store.ts'
import type { CallWatch, StoreOperation } from '../stores/store-call.ts'
import { assertGrants } from './assert-grants.ts'
import { type Breaker, endsOutage, noteFailure, startProbe } from './breaker.ts'
import { claimDebt, endCharge, owedUnits, returnDebt } from './debts.ts'
import { type DemandState, observedBy, receive, refillOf, type SentState } from './demand-state.ts'
import {
  breakerOf,
  type Knowledge,
  keepEnded,
  noteAway,
  noteBack,
  noteUnmended,
} from './knowledge.ts'
import { endRefill, type Lease, startRefill } from './lease.ts'
import { canMend, type Look, mendKeys } from './mend-keys.ts'
import { asStoreError, isReply, type StoreListener } from './outage.ts'

/** In ms: how long after an earlier call's deadline a call checks whether that call timed out. */
const MARGIN_MS = 5

export type WaitUntil = TakeOptions['waitUntil']

/** A call to the store about some demands, and what its request may use. */
export interface Call {
  readonly states: readonly DemandState[]
  /** The breaker of the backend that it reaches. */
  readonly breaker: Breaker
  /** When it is sent. */
  readonly now: number
  readonly waitUntil: WaitUntil
  readonly watch: CallWatch | undefined
  readonly operation: StoreOperation
  /** Whether the call leaves out what its keys owe, which would be lost with it. */
  readonly isProbe?: boolean
  /** Whether it is about keys of several clients, which a server may refuse. */
  readonly isBatch?: boolean
}

/** Asks the store, and learns from the answer. Returns the error of a call that failed. */
export type Send = (call: Call) => Promise<readonly Grant[] | StoreError>

/** Returns the function that sends the calls to a store, each within the deadline. */
export function callSender(
  store: Store,
  options: GuardOptions,
  known: Knowledge,
  listener: StoreListener,
): Send {
  const { timeout, clock, timer = systemTimer, random = Math.random } = options
  const { unmended, outage } = known
  const { oneClient = false } = store

  async function send(call: Call): Promise<readonly Grant[] | StoreError> {
    const { states, breaker, now, waitUntil, watch, isProbe, operation } = call
    const demands: Demand[] = []
    const sent: SentState[] = []
    const refilling: Lease[] = []
    for (const state of states) {
      const { demand, record, lease } = state
      const reserve = lease ? refillOf(state, lease, now) : 0
      const owed = isProbe || !record.local ? demand.owed : claimDebt(record.local, demand, now)
      demands.push(reserve > 0 || owed ? { ...demand, reserve, owed } : demand)
      const { windowId, window, local } = record
      sent.push({ state, owed, reserve, windowId, window, local })
      if (lease === undefined || reserve === 0) continue
      // One refill at a time. Meanwhile other requests take only their own cost.
      startRefill(lease, now)
      refilling.push(lease)
    }
    const [first] = states
    const observed = first && states.length === 1 ? observedBy(first, now, clock) : undefined
    const answersBefore = breaker.answers
    breaker.waitingSince ??= now
    // If the oldest call opens the breaker, this call stops waiting.
    const earlier =
      options.breaker !== false && breaker.openedAt === undefined && breaker.waitingSince < now
        ? {
            ms: breaker.waitingSince + timeout - now + MARGIN_MS,
            isDue: () => breaker.openedAt !== undefined,
          }
        : undefined
    const endCall = watch?.begin(operation)
    let grants: readonly Grant[]
    try {
      grants = await withDeadline(
        timeout,
        (signal) => store.take(demands, { signal, waitUntil, observed }),
        { clock, timer, since: now },
        earlier,
      )
      assertGrants(grants, demands.length)
    } catch (cause) {
      const error = asStoreError(cause, demands)
      keepEnded(known, endCall?.(error.code, 0))
      const then = clock()
      // An error about one key shows that the server answers.
      if (error.scope === 'key') noteAnswer(breaker, false, then)
      else if (!(call.isBatch && isReply(error))) {
        noteFailure(breaker, error, { since: now, answersBefore }, then, random)
      }
      const isAway = breaker.openedAt !== undefined
      if (isAway) noteAway(known, breaker)
      if (!isAway || !outage.begin(listener, error)) outage.fail(listener, error)
      for (const { state, owed, local } of sent) {
        if (!owed || !local || error.mayHaveCounted) continue
        returnDebt(local, owed, now)
        noteUnmended(known, state.record, state.demand)
      }
      // The plain count may have made a key without expiry, or may yet make one.
      if (observed && first) {
        first.record.isUncertain = true
        first.record.needsHealing = true
        noteUnmended(known, first.record, first.demand)
      }
      return error
    } finally {
      for (const lease of refilling) endRefill(lease)
    }
    if (endCall) keepEnded(known, endCall(undefined, unitsAhead(grants, demands)))
    const then = clock()
    known.tripMs = then - now
    const received: Grant[] = []
    for (const grant of grants) {
      received.push(receive(sent[received.length], grant, now, then))
    }
    for (const { state, owed } of sent) {
      if (owed || state.demand.settling) endCharge(state.record, state.demand)
    }
    noteAnswer(breaker, breaker.openedAt === undefined || hasWritten(demands, grants), then)
    if (unmended.size > 0 && waitUntil && canMend(known, then)) waitUntil(mendInBackground(call))
    return received
  }

  /** @param isWrite whether the answer counts a unit, if the breaker is open */
  function noteAnswer(breaker: Breaker, isWrite: boolean, now: number): void {
    breaker.answers++
    breaker.waitingSince = undefined
    if (breaker.openedAt !== undefined && !endsOutage(breaker, now, isWrite, random)) return
    if (known.away.size > 0 && noteBack(known, breaker, now)) {
      outage.end(() => owedUnits(unmended.keys(), now))
    }
  }

  /** Charges and heals in the background of a request. */
  function mendInBackground({ waitUntil, watch }: Call): Promise<void> {
    const look: Look = async (states) => {
      const breaker = breakerOf(known, store, states)
      const now = clock()
      const call = { states, breaker, now, waitUntil, watch }
      const isAway = () => breaker.openedAt !== undefined
      if (oneClient && isAway() && startProbe(breaker, now, timeout, random)) {
        // A probe comes first, because a debt is lost if its call gets no answer.
        await send({ ...call, isProbe: !breaker.needsWrite, operation: 'probe' })
      }
      if (isAway()) return breaker.error
      const isBatch = !oneClient && states.length > 1
      const answer = await send({ ...call, now: clock(), isBatch, operation: 'mend' })
      return answer instanceof StoreError ? answer : undefined
    }
    return mendKeys(known, oneClient, look, options).catch(() => {})
  }

  return send
}

/**
 * Whether the store has counted a unit. A charged debt counts as a write, even if no unit was left.
 * If the store still rejects writes, the next call opens the breaker again.
 */
const hasWritten = (demands: readonly Demand[], grants: readonly Grant[]): boolean =>
  grants.some(({ granted }, index) => granted > 0 || demands[index]?.owed !== undefined)

/** How many units a call has taken in advance. */
function unitsAhead(grants: readonly Grant[], demands: readonly Demand[]): number {
  let units = 0
  for (const [index, { reserve = 0, cost }] of demands.entries()) {
    if (reserve > 0) units += Math.max(0, Math.min((grants[index]?.granted ?? 0) - cost, reserve))
  }
  return units
}
