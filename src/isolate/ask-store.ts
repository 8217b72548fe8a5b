import type { StoreError } from '../errors.ts'
import type { Grant, GuardOptions, Store } from '../stores/store.ts'
import type { CallWatch } from '../stores/store-call.ts'
import { type Breaker, probeIn, startProbe } from './breaker.ts'
import { claimUnits, owesUnits } from './debts.ts'
import { decideHere, refuseHere } from './decide-here.ts'
import { type DemandState, lookAt, NO_GRANT } from './demand-state.ts'
import { breakerOf, type Knowledge, noteUnmended } from './knowledge.ts'
import { isCounting, unitsLeft } from './local-count.ts'
import { callSender, ignore, type WaitUntil } from './send-call.ts'

/** The calls to a store that may be away. */
export interface StoreCalls {
  /** Whether the store of these demands is left alone. */
  isAway(states: readonly DemandState[]): boolean
  /** Asks the store within the deadline. If it is away, or fails, this isolate decides. */
  ask(
    states: readonly DemandState[],
    now: number,
    waitUntil: WaitUntil,
    watch: CallWatch | undefined,
  ): Promise<readonly Grant[]> | readonly Grant[]
}

export function storeCalls(store: Store, options: GuardOptions, known: Knowledge): StoreCalls {
  const { timeout, fallbacks, random = Math.random } = options
  const { outage } = known
  const listener = options.onStoreEvent ? { notify: options.onStoreEvent } : known.logListener
  const hasBreaker = options.breaker !== false
  const send = callSender(store, options, known, listener)

  /** Asks the store. If the call fails, this isolate decides. */
  const askOrDecide = (
    states: readonly DemandState[],
    breaker: Breaker,
    now: number,
    waitUntil: WaitUntil,
    watch: CallWatch | undefined,
  ): Promise<readonly Grant[]> =>
    send(
      states,
      breaker,
      now,
      waitUntil,
      // A slow server may yet count the call. Its units would be counted twice.
      (error, then) => decide(states, breaker, error.code !== 'timeout', then),
      { watch },
    )

  /**
   * Asks the store about keys of which it may not have counted all units granted here. What does
   * not fit this isolate's own count is refused.
   */
  async function askBesideCount(
    states: readonly DemandState[],
    breaker: Breaker,
    now: number,
    waitUntil: WaitUntil,
    watch: CallWatch | undefined,
  ): Promise<readonly Grant[]> {
    const counts = states.flatMap(({ record: { local }, demand }) =>
      local && isCounting(local, demand, now) ? [{ local, demand }] : [],
    )
    const fits = ({ local, demand }: (typeof counts)[number]) =>
      unitsLeft(local, demand, 'local') >= demand.cost
    if (!counts.every(fits)) return refuseHere(states, now)
    // Before the call, so that requests at the same time count each other.
    for (const { local, demand } of counts) local.granted += demand.cost
    const giveBack = () => {
      for (const { local, demand } of counts) local.granted -= demand.cost
    }
    const fail = (error: StoreError, then: number) => {
      giveBack()
      return decide(states, breaker, error.code !== 'timeout', then)
    }
    const grants = await send(states, breaker, now, waitUntil, fail, { watch })
    const isCounted = grants.every(
      ({ granted, source = 'store' }, index) =>
        source !== 'store' || granted >= (states[index]?.demand.cost ?? 0),
    )
    if (!isCounted) giveBack()
    return grants
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
    const grants = decideHere(states, fallbacks, isOwed, now, probeIn(breaker, now))
    for (const { record, demand } of states) {
      if (owesUnits(record, now)) noteUnmended(known, record, demand)
    }
    return grants
  }

  return {
    isAway: (states) => breakerOf(known, store, states).openedAt !== undefined,
    ask(states, now, waitUntil, watch) {
      const breaker = store.oneClient ? breakerOf(known, store, states) : known.breaker
      if (!hasBreaker || breaker.openedAt === undefined) {
        for (const { record, demand } of states) {
          const isLocal = record.local && isCounting(record.local, demand, now)
          if (isLocal) return askBesideCount(states, breaker, now, waitUntil, watch)
        }
        return askOrDecide(states, breaker, now, waitUntil, watch)
      }
      const grants = decide(states, breaker, true, now)
      const isGranted = grants.some(({ granted }) => granted > 0)
      // Only a unit that the store counts shows that it accepts writes again.
      const canProbe = isGranted || !breaker.needsWrite || grants[0]?.source === 'closed'
      if (!canProbe || !startProbe(breaker, now, timeout, random)) return grants
      if (breaker.needsWrite && !isGranted)
        return askOrDecide(states, breaker, now, waitUntil, watch)
      const charges = states.map(({ record, demand }, index) => {
        const owed = claimUnits(record, demand, grants[index] ?? NO_GRANT, now)
        const look = lookAt(record, demand)
        return { ...look, demand: { ...look.demand, owed } }
      })
      const kind = { isProbe: true, watch, operation: 'probe' } as const
      const probe = send(charges, breaker, now, waitUntil, ignore, kind).catch(ignore)
      // Where nothing keeps a probe alive, a request waits for it.
      if (!waitUntil) return probe.then(() => grants)
      waitUntil(probe)
      return grants
    },
  }
}
