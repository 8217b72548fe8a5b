import { StoreError } from '../errors.ts'
import type { GuardOptions } from '../stores/guard-options.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import type { CallWatch, StoreOperation } from '../stores/store-call.ts'
import { type Breaker, probeIn, startProbe } from './breaker.ts'
import { claimUnits, owesUnits } from './debts.ts'
import { decideHere, refuseHere } from './decide-here.ts'
import { type DemandState, lookAt, NO_GRANT } from './demand-state.ts'
import { breakerOf, type Knowledge, noteUnmended } from './knowledge.ts'
import { isCounting, type LocalCount, unitsLeft } from './local-count.ts'
import { type Call, callSender, type WaitUntil } from './send-call.ts'

/** Asks a store within the deadline. If it is away, or fails, this isolate decides. */
export type AskStore = (
  states: readonly DemandState[],
  now: number,
  waitUntil: WaitUntil,
  watch: CallWatch | undefined,
  operation?: StoreOperation,
) => Promise<readonly Grant[]> | readonly Grant[]

/** Returns the function that asks a store that may be away. */
export function storeAsker(store: Store, options: GuardOptions, known: Knowledge): AskStore {
  const { timeout, policies, clock, random = Math.random } = options
  const { outage } = known
  const listener = options.onStoreEvent ? { notify: options.onStoreEvent } : known.logListener
  const send = callSender(store, options, known, listener)

  /**
   * Sends a call. If it fails, this isolate decides. A key may have units that were granted here and
   * that the store has not counted. A demand that does not fit this isolate's count is refused.
   *
   * @param counted the demands that have to fit
   */
  async function sendOrDecide(call: Call, counted = call.states): Promise<readonly Grant[]> {
    const { states, now, breaker } = call
    const counts: { local: LocalCount; demand: Demand }[] = []
    for (const { record, demand } of counted) {
      const { local } = record
      if (!local || !isCounting(local, demand, now)) continue
      if (unitsLeft(local, demand, 'local') < demand.cost) return refuseHere(states, now)
      counts.push({ local, demand })
    }
    // Before the call, so that requests at the same time count each other.
    for (const { local, demand } of counts) local.granted += demand.cost
    const answer = await send(call)
    const isError = answer instanceof StoreError
    if (counts.length > 0 && (isError || isRefused(answer, states))) {
      for (const { local, demand } of counts) local.granted -= demand.cost
    }
    // After a timeout the units are not owed: the server may still count the call.
    return isError ? decide(states, breaker, answer.code !== 'timeout', clock()) : answer
  }

  /** Decides in this isolate. */
  function decide(
    states: readonly DemandState[],
    breaker: Breaker,
    isOwed: boolean,
    now: number,
  ): readonly Grant[] {
    if (breaker.openedAt !== undefined && states.some(({ demand }) => demand.cost > 0)) {
      if (breaker.error) outage.begin(listener, breaker.error)
      outage.decide()
    }
    const grants = decideHere(states, policies, isOwed, now, probeIn(breaker, now))
    for (const { record, demand } of states) {
      if (owesUnits(record, now)) noteUnmended(known, record, demand)
    }
    return grants
  }

  return (states, now, waitUntil, watch, operation = 'take') => {
    const breaker = breakerOf(known, store, states)
    const call = { states, breaker, now, waitUntil, watch, operation }
    // While the store is away, nobody takes units in advance.
    if (operation === 'refill' && breaker.openedAt !== undefined) return []
    if (options.breaker === false || breaker.openedAt === undefined) return sendOrDecide(call)
    const grants = decide(states, breaker, true, now)
    const isGranted = grants.some(({ granted }) => granted > 0)
    // Only a unit that the store counts shows that it accepts writes again.
    const canProbe = isGranted || !breaker.needsWrite || grants[0]?.source === 'closed'
    if (!canProbe || !startProbe(breaker, now, timeout, random)) return grants
    if (breaker.needsWrite && !isGranted) return sendOrDecide(call, [])
    const charges = states.map(({ record, demand }, index) => {
      const owed = claimUnits(record, demand, grants[index] ?? NO_GRANT, now)
      const look = lookAt(record, demand)
      return { ...look, demand: { ...look.demand, owed } }
    })
    const charging = send({ ...call, states: charges, isProbe: true, operation: 'probe' })
    const told = () => grants
    const probe = charging.then(told, told)
    // Where nothing keeps a probe alive, a request waits for it.
    if (!waitUntil) return probe
    waitUntil(probe)
    return grants
  }
}

/** Whether the store itself has refused a demand. */
const isRefused = (grants: readonly Grant[], states: readonly DemandState[]): boolean =>
  grants.some(
    ({ granted, source = 'store' }, index) =>
      source === 'store' && granted < (states[index]?.demand.cost ?? 0),
  )
