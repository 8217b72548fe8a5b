import { withDeadline } from '../deadline.ts'
import type { Demand, Grant, GuardOptions, Store, TakeOptions } from '../stores/store.ts'
import { type Breaker, endsOutage, noteFailure, probeIn, startProbe } from './breaker.ts'
import { claimDebt, probeOf } from './debts.ts'
import { decideHere } from './decide-here.ts'
import { type DemandState, observedBy, refillOf, settle } from './demand-state.ts'
import { breakerFor, type Knowledge } from './knowledge.ts'
import { endRefill, type Lease, startRefill } from './lease.ts'
import { assertGrants, type Outage } from './outage.ts'
import type { Asked } from './record.ts'

export type WaitUntil = TakeOptions['waitUntil']

/** How many keys one call charges with what they owe. */
const MAX_DEBTS = 100

/** The calls to a store that may be away. */
export interface StoreCalls {
  /** How long the last answer took; negative if the clock was set back meanwhile. */
  readonly tripMs: number
  /** Whether the store of these demands is left alone. */
  isAway(states: readonly DemandState[]): boolean
  /** Asks the store within the deadline. If it is away, or fails, this isolate decides. */
  ask(
    states: readonly DemandState[],
    now: number,
    waitUntil: WaitUntil,
  ): Promise<readonly Grant[]> | readonly Grant[]
  /**
   * Charges what the keys of a request owe, before its cost: after it, a unit too many could be
   * granted.
   */
  payDebts(states: readonly DemandState[], now: number, waitUntil: WaitUntil): Promise<void>
}

export function storeCalls(
  store: Store,
  options: GuardOptions,
  known: Knowledge,
  outage: Outage,
): StoreCalls {
  const { timeout, fallbacks, clock, timer, random = Math.random } = options
  const { debtors } = known
  const hasBreaker = options.breaker !== false
  let tripMs = 0

  /** The breaker of the backend that a call reaches. */
  const breakerOf = ([first]: readonly DemandState[]): Breaker =>
    store.oneClient ? breakerFor(known, first?.demand.client ?? '') : known.breaker

  const decide = (states: readonly DemandState[], breaker: Breaker, now: number) =>
    decideHere(states, fallbacks, debtors, now, probeIn(breaker, now))

  /** Asks the store, and learns from the answer. */
  async function askStore(
    states: readonly DemandState[],
    breaker: Breaker,
    now: number,
    waitUntil: WaitUntil,
  ): Promise<readonly Grant[]> {
    const demands: Demand[] = []
    const asked: Asked[] = []
    const refilling: Lease[] = []
    for (const state of states) {
      const { demand, record, lease } = state
      const reserve = lease ? refillOf(state, lease, now) : 0
      demands.push(reserve > 0 ? { ...demand, reserve } : demand)
      asked.push({ reserve, windowId: record.windowId, window: record.window })
      if (lease === undefined || reserve === 0) continue
      // One at a time: requests that find no units meanwhile ask for their own alone.
      startRefill(lease, now)
      refilling.push(lease)
    }
    const [first] = states
    const observed = first && states.length === 1 ? observedBy(first, now, clock) : undefined
    const answersBefore = breaker.answers
    let grants: readonly Grant[]
    try {
      grants = await withDeadline(
        timeout,
        (signal) => store.take(demands, { signal, waitUntil, observed }),
        { clock, timer, since: now },
      )
      assertGrants(grants, demands.length)
    } catch (error) {
      const failedAt = clock()
      noteFailure(breaker, error, { since: now, answersBefore }, failedAt, random)
      outage.fail(error, demands)
      for (const { record } of states) record.isUncertain = true
      return decide(states, breaker, failedAt)
    } finally {
      for (const lease of refilling) endRefill(lease)
    }
    outage.end()
    const then = clock()
    tripMs = then - now
    breaker.answers++
    if (breaker.openedAt !== undefined) recover(breaker, grants, then, waitUntil)
    for (const { record } of states) if (record.local?.owed === 0) record.local = undefined
    const settled: Grant[] = []
    for (const grant of grants) {
      const index = settled.length
      settled.push(settle(states[index], asked[index], grant, now, then))
    }
    return settled
  }

  /** Ends an outage, and charges all that is owed in the background. */
  function recover(
    breaker: Breaker,
    grants: readonly Grant[],
    now: number,
    waitUntil: WaitUntil,
  ): void {
    const isWrite = grants.some(({ granted }) => granted > 0)
    if (!endsOutage(breaker, now, isWrite, random)) return
    // A store that counts each client elsewhere is charged when the client comes back.
    if (!store.oneClient) waitUntil?.(payAll(breaker, waitUntil).catch(() => {}))
  }

  /** Charges all that is owed, some keys at a time, until the store is away again. */
  async function payAll(breaker: Breaker, waitUntil: WaitUntil): Promise<void> {
    while (debtors.size > 0 && breaker.openedAt === undefined) {
      const now = clock()
      const debts: DemandState[] = []
      for (const [record, demand] of debtors) {
        const debt = claimDebt(record, demand, debtors, now)
        if (debt) debts.push(debt)
        if (debts.length === MAX_DEBTS) break
      }
      if (debts.length > 0) await askStore(debts, breaker, now, waitUntil)
    }
  }

  return {
    get tripMs() {
      return tripMs
    },
    isAway: (states) => breakerOf(states).openedAt !== undefined,
    ask(states, now, waitUntil) {
      const breaker = store.oneClient ? breakerOf(states) : known.breaker
      if (breaker.openedAt === undefined) return askStore(states, breaker, now, waitUntil)
      outage.fail(
        breaker.error,
        states.map(({ demand }) => demand),
      )
      const grants = decide(states, breaker, now)
      if (hasBreaker && !startProbe(breaker, now, timeout, random)) return grants
      const probe = askStore(probeOf(states, grants), breaker, now, waitUntil).catch(() => {})
      // Where nothing keeps a probe alive, a request waits for it.
      if (!hasBreaker || !waitUntil) return probe.then(() => grants)
      waitUntil(probe)
      return grants
    },
    async payDebts(states, now, waitUntil) {
      const debts = states.flatMap(
        ({ record, demand }) => claimDebt(record, demand, debtors, now) ?? [],
      )
      if (debts.length > 0) await askStore(debts, breakerOf(states), now, waitUntil)
    },
  }
}
