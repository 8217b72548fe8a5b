import { withDeadline } from '../deadline.ts'
import { detectPlatform } from '../environment.ts'
import { type Log, quietLog } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import type { Demand, Grant, Guard, TakeOptions } from '../stores/store.ts'
import {
  type DemandState,
  giveBack,
  localGrant,
  NO_GRANT,
  observedBy,
  refillOf,
  setAside,
  settle,
} from './demand-state.ts'
import { assertGrants, fallback } from './fallback.ts'
import { recordFor, recordsOf } from './key-records.ts'
import { endRefill, type Lease, needsRefill, newLease, startRefill } from './lease.ts'
import { ifOpen } from './observed-window.ts'
import { outageLog } from './outage-log.ts'
import { type Asked, canSpend, endWindow, isExhausted } from './record.ts'
import { addRequest } from './request-rate.ts'

type WaitUntil = TakeOptions['waitUntil']

/**
 * Wraps a remote store with what an isolate does by itself. It owns all that the isolate knows of
 * the store's keys, one record per key, shared by all limiters over one store and clock: it refuses
 * what is certain to be refused, spends units held on lease, asks the store within the deadline,
 * learns from the answer, and counts locally if the store fails.
 */
export const guard: Guard = (store, { timeout, ahead, clock, timer, onStoreError }) => {
  const records = recordsOf(store, clock)
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  const listener = onStoreError ? { onAway: onStoreError } : outageLog(clock)
  const local = fallback(clock, listener, log)
  // A server keeps running after the response.
  const keepsRunning = detectPlatform() === 'server' ? () => {} : undefined
  /** How long the last answer took; negative if the clock was set back meanwhile. */
  let tripMs = 0

  function stateOf(demand: Demand, now: number): DemandState {
    const record = recordFor(records, demand)
    // What is known ends with its window.
    if (record.window && !ifOpen(record.window, now)) endWindow(record)
    const { windowId } = record
    const { policy, cost, reserve = 0 } = demand
    const aheadMs = cost > 0 && reserve === 0 ? ahead?.get(policy) : undefined
    let lease: Lease | undefined
    if (aheadMs !== undefined) {
      lease = record.lease ??= newLease(now)
      addRequest(lease, now)
    }
    const isPaid = lease !== undefined && canSpend(record, demand)
    const isRefused = !isPaid && isExhausted(record, demand, now)
    return { demand, record, lease, ahead: aheadMs ?? 0, windowId, isPaid, isRefused }
  }

  /** Asks the store within the deadline, and learns from the answer. Counts locally if it fails. */
  async function ask(
    states: readonly DemandState[],
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
    let grants: readonly Grant[]
    try {
      grants = await withDeadline(
        timeout,
        (signal) => store.take(demands, { signal, waitUntil, observed }),
        { clock, timer, since: now },
      )
      assertGrants(grants, demands.length)
    } catch (error) {
      for (const { record } of states) {
        record.isUncertain = true
        // Otherwise new keys would evict exhausted ones while the store is away. A later call may
        // have made another record of the key, and learned from an answer.
        if (!record.window && records.get(record.key) === record) records.delete(record.key)
      }
      // No units are taken ahead from the local count.
      return local.take(
        states.map(({ demand }) => ({ ...demand, reserve: 0 })),
        error,
      )
    } finally {
      for (const lease of refilling) endRefill(lease)
    }
    local.endOutage()
    const then = clock()
    tripMs = then - now
    const settled: Grant[] = []
    for (const grant of grants) {
      const index = settled.length
      settled.push(settle(states[index], asked[index], grant, now, then))
    }
    return settled
  }

  /** Refills a lease in the background, before its units are spent. */
  function refill(state: DemandState, now: number, waitUntil: WaitUntil): void {
    const { demand, lease } = state
    if (waitUntil === undefined || lease === undefined || !needsRefill(lease, tripMs)) return
    if (refillOf(state, lease, now) === 0) return
    const refilling = ask([{ ...state, demand: { ...demand, cost: 0 } }], now, waitUntil)
    // A failed refill is ignored; the next request that needs the store reports the error.
    waitUntil(refilling.catch(() => {}))
  }

  return {
    async take(demands, options) {
      const now = clock()
      const host = options?.waitUntil ?? keepsRunning
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
      if (paid === 0) return ask(states, now, waitUntil)

      const unpaid = setAside(states)
      const grants = unpaid.length === 0 ? [] : await ask(unpaid, now, waitUntil)
      const isGranted = grants.every(
        ({ granted }, index) => granted >= (unpaid[index]?.demand.cost ?? 0),
      )
      const settled: Grant[] = []
      let index = 0
      for (const state of states) {
        if (state.isPaid && isGranted) refill(state, now, waitUntil)
        else if (state.isPaid) giveBack(state)
        settled.push(
          state.isPaid
            ? localGrant(state, isGranted ? state.demand.cost : 0, 'lease', now)
            : (grants[index++] ?? NO_GRANT),
        )
      }
      return settled
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
