import { systemTimer } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import { StoreError } from '../errors.ts'
import type { Demand, Grant, GuardOptions, Store, TakeOptions } from '../stores/store.ts'
import type { CallWatch, StoreOperation } from '../stores/store-call.ts'
import { assertGrants } from './assert-grants.ts'
import { type Breaker, endsOutage, noteFailure, startProbe } from './breaker.ts'
import { claimDebt, endCharge, owedUnits, returnDebt } from './debts.ts'
import { type DemandState, observedBy, receive, refillOf } from './demand-state.ts'
import {
  breakerOf,
  type Knowledge,
  keepEnded,
  noteAway,
  noteBack,
  noteUnmended,
} from './knowledge.ts'
import { endRefill, type Lease, startRefill } from './lease.ts'
import { hasUnmended, mendKeys } from './mend-keys.ts'
import { asStoreError, isReply, type StoreListener } from './outage.ts'
import type { Asked } from './record.ts'

/** In ms: how long after an earlier call's deadline a call checks whether that call timed out. */
const MARGIN_MS = 5

export type WaitUntil = TakeOptions['waitUntil']

/** What kind of call is sent. */
interface CallKind {
  /** Whether the call charges its own units alone, since it may get no answer. */
  readonly isProbe?: boolean
  /** Whether the call is about keys of several clients, which a server may refuse. */
  readonly isBatch?: boolean
  readonly watch?: CallWatch | undefined
  /** @default 'take' */
  readonly operation?: StoreOperation
}

/**
 * Asks the store, and learns from the answer. If the call fails, returns what `fail` returns.
 */
export type Send = <Failure>(
  states: readonly DemandState[],
  breaker: Breaker,
  now: number,
  waitUntil: WaitUntil,
  fail: (error: StoreError, now: number) => Failure,
  kind?: CallKind,
) => Promise<readonly Grant[] | Failure>

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

  async function send<Failure>(
    states: readonly DemandState[],
    breaker: Breaker,
    now: number,
    waitUntil: WaitUntil,
    fail: (error: StoreError, now: number) => Failure,
    { isProbe = false, isBatch = false, watch, operation = 'take' }: CallKind = {},
  ): Promise<readonly Grant[] | Failure> {
    const demands: Demand[] = []
    const asked: Asked[] = []
    const refilling: Lease[] = []
    let owes = false
    for (const state of states) {
      const { demand, record, lease } = state
      const reserve = lease ? refillOf(state, lease, now) : 0
      const owed = isProbe || !record.local ? demand.owed : claimDebt(record.local, demand, now)
      owes ||= owed !== undefined
      demands.push(reserve > 0 || owed ? { ...demand, reserve, owed } : demand)
      const { windowId, window, local } = record
      asked.push({ reserve, windowId, window, local })
      if (lease === undefined || reserve === 0) continue
      // One at a time: requests that find no units meanwhile ask for their own alone.
      startRefill(lease, now)
      refilling.push(lease)
    }
    const [first] = states
    const observed = first && states.length === 1 ? observedBy(first, now, clock) : undefined
    const answersBefore = breaker.answers
    breaker.waitingSince ??= now
    // If the oldest call opens the breaker, this one waits no longer.
    const earlier =
      breaker.openedAt === undefined && breaker.waitingSince < now
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
      // An error about the call alone is an answer of the server.
      if (error.scope === 'key') {
        breaker.answers++
        breaker.waitingSince = undefined
        if (breaker.openedAt !== undefined) endOutage(breaker, false, then)
      } else if (!(isBatch && isReply(error))) {
        noteFailure(breaker, error, { since: now, answersBefore }, then, random)
      }
      const isAway = breaker.openedAt !== undefined
      if (isAway) noteAway(known, breaker)
      if (!isAway || !outage.begin(listener, error)) outage.fail(listener, error)
      for (const [index, { owed }] of demands.entries()) {
        const local = asked[index]?.local
        if (owed && local && !error.mayHaveCounted) returnDebt(local, owed, now)
      }
      // The plain count may have made a key without expiry, or may yet make one.
      if (observed && first) {
        first.record.isUncertain = true
        first.record.needsHealing = true
        noteUnmended(known, first.record, first.demand)
      }
      return fail(error, then)
    } finally {
      for (const lease of refilling) endRefill(lease)
    }
    if (endCall) keepEnded(known, endCall(undefined, unitsAhead(grants, demands)))
    const then = clock()
    known.tripMs = then - now
    const received: Grant[] = []
    for (const grant of grants) {
      const index = received.length
      received.push(receive(states[index], asked[index], grant, now, then))
    }
    breaker.answers++
    breaker.waitingSince = undefined
    if (owes) endCharges(states, demands)
    if (breaker.openedAt !== undefined) endOutage(breaker, hasWritten(demands, grants), then)
    if (unmended.size > 0 && waitUntil && hasUnmended(known, then)) {
      waitUntil(mendInBackground(waitUntil, watch))
    }
    return received
  }

  /** Notes an answer while the breaker is open. */
  function endOutage(breaker: Breaker, isWrite: boolean, now: number): void {
    if (!endsOutage(breaker, now, isWrite, random) || !noteBack(known, breaker, now)) return
    outage.end(() => owedUnits(unmended.keys(), now))
  }

  /** Charges and heals in the background. */
  function mendInBackground(waitUntil: WaitUntil, watch: CallWatch | undefined): Promise<void> {
    const sendLooks = async (states: readonly DemandState[]) => {
      const breaker = breakerOf(known, store, states)
      const isBatch = !oneClient && states.length > 1
      const asError = (error: StoreError) => error
      const kind = { isBatch, watch, operation: 'mend' } as const
      const answer = await send(states, breaker, clock(), waitUntil, asError, kind)
      return answer instanceof StoreError ? answer : undefined
    }
    const isReachable = async (looks: readonly DemandState[]) => {
      const breaker = breakerOf(known, store, looks)
      const isAway = breaker.openedAt !== undefined
      if (oneClient && isAway && startProbe(breaker, clock(), timeout, random)) {
        // A debt may get lost with its call, so it is sent only if the server has answered.
        const isProbe = !breaker.needsWrite
        const kind = { isProbe, watch, operation: 'probe' } as const
        await send(looks, breaker, clock(), waitUntil, ignore, kind)
      }
      return breaker.openedAt === undefined
    }
    const work = { known, oneClient, isReachable, send: sendLooks, clock, timer, timeout }
    return mendKeys(work).catch(ignore)
  }

  return send
}

/**
 * Whether the store has counted a unit. What is owed counts as charged, though no unit may have
 * been left: if the store still rejects writes, the next one opens the breaker again.
 */
const hasWritten = (demands: readonly Demand[], grants: readonly Grant[]): boolean =>
  grants.some(({ granted }, index) => granted > 0 || demands[index]?.owed !== undefined)

function endCharges(states: readonly DemandState[], demands: readonly Demand[]): void {
  for (const [index, { record, demand }] of states.entries()) {
    if (demands[index]?.owed) endCharge(record, demand)
  }
}

/** How many units a call has taken in advance. */
function unitsAhead(grants: readonly Grant[], demands: readonly Demand[]): number {
  let units = 0
  for (const [index, { reserve = 0, cost }] of demands.entries()) {
    if (reserve > 0) units += Math.max(0, Math.min((grants[index]?.granted ?? 0) - cost, reserve))
  }
  return units
}

/** For calls whose failure concerns no request. */
export function ignore(): void {}
