import { withDeadline } from '../deadline.ts'
import { detectPlatform } from '../environment.ts'
import { type Log, quietLog } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import type { Demand, Grant, Guard, TakeOptions } from '../stores/store.ts'
import type { CallWatch } from '../stores/store-call.ts'
import { storeAsker } from './ask-store.ts'
import {
  type DemandState,
  giveBack,
  localGrant,
  NO_GRANT,
  refillOf,
  setAside,
} from './demand-state.ts'
import { forget, knowledgeOf, recordFor } from './knowledge.ts'
import { type Lease, needsRefill, newLease } from './lease.ts'
import { ifOpen } from './observed-window.ts'
import { canSpend, endWindow, isExhausted } from './record.ts'
import { addRequest } from './request-rate.ts'
import type { WaitUntil } from './send-call.ts'

/**
 * Wraps a remote store with what an isolate does by itself. It owns all that the isolate knows of
 * the store's keys, one record per key, shared by all limiters over one store and clock: it refuses
 * what is certain to be refused, spends units held on lease, asks the store within the deadline,
 * learns from the answer, and decides by itself while the store is away.
 */
export const guard: Guard = (store, options) => {
  const { policies, clock } = options
  const known = knowledgeOf(store, clock)
  const { records } = known
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  const ask = storeAsker(store, options, known)
  // A server keeps running after the response.
  const keepsRunning = detectPlatform() === 'server' ? () => {} : undefined

  function stateOf(demand: Demand, now: number): DemandState {
    const record = recordFor(records, demand)
    // What is known ends with its window.
    if (record.window && !ifOpen(record.window, now)) endWindow(record, now)
    const { windowId } = record
    const { policy, cost, reserve = 0 } = demand
    const aheadMs = cost > 0 && reserve === 0 ? policies?.get(policy)?.ahead : undefined
    let lease: Lease | undefined
    if (aheadMs !== undefined) {
      lease = record.lease ??= newLease(now)
      addRequest(lease, now)
    }
    const isPaid = lease !== undefined && canSpend(record, demand)
    const isRefused = !isPaid && isExhausted(record, demand, now)
    if (isRefused && record.window) record.exhaustedUntil = record.window.until
    return { demand, record, lease, ahead: aheadMs ?? 0, windowId, isPaid, isRefused }
  }

  /** Refills a lease in the background, before its units are spent. */
  function refill(state: DemandState, waitUntil: WaitUntil, watch: CallWatch | undefined): void {
    const { demand, lease } = state
    if (waitUntil === undefined || lease === undefined || !needsRefill(lease, known.tripMs)) return
    // Its request may have waited for another policy.
    const now = clock()
    if (refillOf(state, lease, now) === 0) return
    const states = [{ ...state, demand: { ...demand, cost: 0 } }]
    const refilling = ask(states, now, waitUntil, watch, 'refill')
    // A failed refill is ignored; the next request that needs the store reports the error.
    waitUntil(Promise.resolve(refilling).catch(() => {}))
  }

  async function take(
    demands: readonly Demand[],
    options?: TakeOptions,
  ): Promise<readonly Grant[]> {
    const now = clock()
    const host = options?.waitUntil ?? keepsRunning
    const watch = options?.watch
    if (watch) watch.background = [...watch.background, ...known.endedCalls.splice(0)]
    const waitUntil: WaitUntil = host && ((work) => keepAlive(host, work, log))
    const states: DemandState[] = []
    let isRefused = false
    let paid = 0
    for (const demand of demands) {
      const state = stateOf(demand, now)
      states.push(state)
      if (state.isPaid) paid++
      isRefused ||= state.isRefused
    }
    if (isRefused) return states.map((state) => localGrant(state, 0, 'known', now))
    if (paid === 0) return ask(states, now, waitUntil, watch)

    const unpaid = setAside(states)
    const grants = unpaid.length === 0 ? [] : await ask(unpaid, now, waitUntil, watch)
    const isGranted = grants.every(
      ({ granted }, index) => granted >= (unpaid[index]?.demand.cost ?? 0),
    )
    const all: Grant[] = []
    let index = 0
    for (const state of states) {
      if (state.isPaid && isGranted) refill(state, waitUntil, watch)
      else if (state.isPaid) giveBack(state)
      all.push(
        state.isPaid
          ? localGrant(state, isGranted ? state.demand.cost : 0, 'lease', now)
          : (grants[index++] ?? NO_GRANT),
      )
    }
    return all
  }

  return {
    label: store.label,
    ...(store.oneClient && { oneClient: true }),
    take,
    async reset(keys) {
      await withDeadline(options.timeout, async (signal) => store.reset?.(keys, { signal }))
      for (const key of keys) forget(known, key)
    },
  }
}

/** Work that the host rejects (its method was passed unbound) may still finish by itself. */
function keepAlive(waitUntil: NonNullable<WaitUntil>, work: Promise<unknown>, log: Log): void {
  new Promise<void>((resolve) => resolve(waitUntil(work))).catch((error: unknown) =>
    log(
      `waitUntil failed (${redactedMessage(error)}): pass it as (work) => context.waitUntil(work)`,
    ),
  )
}
