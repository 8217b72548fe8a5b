import type { Clock } from '../clock.ts'
import { detectPlatform } from '../environment.ts'
import { type Log, quietLog } from '../quiet-log.ts'
import type { Demand, Grant, Guard, Observed, Store, TakeOptions } from '../stores/store.ts'
import { withDeadline } from './deadline.ts'
import { assertGrants, fallback } from './fallback.ts'
import {
  addUnits,
  endRefill,
  type Lease,
  needsRefill,
  newLease,
  refillSize,
  startRefill,
} from './lease.ts'
import { type Lru, lru } from './lru.ts'
import { ifOpen, resetIn, retryIn } from './observed-window.ts'
import { outageLog } from './outage-log.ts'
import {
  type Asked,
  canSpend,
  endWindow,
  isExhausted,
  type KeyRecord,
  learn,
  newRecord,
} from './record.ts'
import { addRequest } from './request-rate.ts'

/** A demand of one call, and what is known of its key. */
interface Part {
  readonly demand: Demand
  readonly record: KeyRecord
  /** `undefined` if the demand's policy does not lease. */
  readonly lease: Lease | undefined
  /** For how many ms of requests the policy takes units ahead. */
  readonly ahead: number
  /** The window known when the call began. */
  readonly life: number
  /** Whether units held on lease pay for the demand. Otherwise the store is asked. */
  readonly isPaid: boolean
  /** Whether the store is certain to refuse the demand. */
  readonly isRefused: boolean
}

type WaitUntil = TakeOptions['waitUntil']

/**
 * Wraps a remote store with what an isolate does by itself. It owns all that the isolate knows of the
 * store's keys, one record per key, shared by all limiters over one store and clock: it refuses what
 * is certain to be refused, spends units held on lease, asks the store within the deadline, learns
 * from the answer, and counts locally if the store fails.
 */
export const guard: Guard = (store, { timeout, ahead, clock, timer, onStoreError }) => {
  const records = recordsOf(store, clock)
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  const listener = onStoreError ? { onAway: onStoreError } : outageLog(clock)
  const local = fallback(clock, listener, log)
  // A server runs on after the response, and needs nothing to keep its work alive.
  const runsOn = detectPlatform() === 'server' ? () => {} : undefined
  /** How long the last answer took. */
  let tripMs = 0

  function partOf(demand: Demand, now: number): Part {
    const record = recordOf(records, demand)
    // What is known ends with its window.
    if (record.window && !ifOpen(record.window, now)) endWindow(record)
    const { life } = record
    const { policy, cost, reserve = 0 } = demand
    const aheadMs = cost > 0 && reserve === 0 ? ahead?.(policy) : undefined
    if (aheadMs === undefined) {
      const isRefused = isExhausted(record, demand, now)
      return { demand, record, lease: undefined, ahead: 0, life, isPaid: false, isRefused }
    }
    record.lease ??= newLease(now)
    const { lease } = record
    addRequest(lease, now)
    const isPaid = canSpend(record, demand)
    const isRefused = !isPaid && isExhausted(record, demand, now)
    return { demand, record, lease, ahead: aheadMs, life, isPaid, isRefused }
  }

  /** Asks the store within the deadline, and learns from the answer. Counts locally if it fails. */
  async function ask(
    parts: readonly Part[],
    now: number,
    waitUntil: WaitUntil,
  ): Promise<readonly Grant[]> {
    const demands: Demand[] = []
    const asked: Asked[] = []
    const refilling: Lease[] = []
    for (const part of parts) {
      const { demand, record, lease } = part
      const reserve = lease ? refillOf(part, lease, now) : 0
      demands.push(reserve > 0 ? { ...demand, reserve } : demand)
      asked.push({ life: record.life, window: record.window })
      if (lease === undefined || reserve === 0) continue
      // One at a time: requests that find no units meanwhile ask for their own alone.
      startRefill(lease, now)
      refilling.push(lease)
    }
    const observed = parts.length === 1 ? observedBy(parts[0], now, clock) : undefined
    let grants: readonly Grant[]
    try {
      grants = await withDeadline(
        timeout,
        (signal) => store.take(demands, { signal, waitUntil, observed }),
        { clock, timer, since: now },
      )
      assertGrants(grants, demands.length)
    } catch (error) {
      if (observed) for (const { record } of parts) record.isUncertain = true
      // Nothing is taken ahead of a count that only stands in for another.
      return local.take(
        parts.map(({ demand }) => ({ ...demand, reserve: 0 })),
        error,
      )
    } finally {
      for (const lease of refilling) endRefill(lease)
    }
    local.endOutage()
    const then = clock()
    tripMs = Math.max(0, then - now)
    const settled: Grant[] = []
    for (const grant of grants) {
      const index = settled.length
      settled.push(settle(parts[index], asked[index], grant, now, then))
    }
    return settled
  }

  /** Refills a lease behind the back of requests, before its units are spent. */
  function refill(part: Part, now: number, waitUntil: WaitUntil): void {
    const { demand, lease } = part
    if (waitUntil === undefined || lease === undefined || !needsRefill(lease, tripMs)) return
    if (refillOf(part, lease, now) === 0) return
    waitUntil(ask([{ ...part, demand: { ...demand, cost: 0 } }], now, waitUntil))
  }

  return {
    async take(demands, options) {
      const now = clock()
      const host = options?.waitUntil ?? runsOn
      const waitUntil: WaitUntil = host && ((work) => keepAlive(host, work, log))
      const parts: Part[] = []
      let isRefused = false
      let paid = 0
      for (const demand of demands) {
        const part = partOf(demand, now)
        parts.push(part)
        if (part.isPaid) paid++
        isRefused ||= part.isRefused
      }
      if (isRefused) return refuse(parts, now)
      if (paid === 0) return ask(parts, now, waitUntil)

      const unpaid = setAside(parts)
      const grants = unpaid.length === 0 ? [] : await ask(unpaid, now, waitUntil)
      const isGranted = grants.every(({ granted }, index) => granted >= costOf(unpaid[index]))
      const settled: Grant[] = []
      let index = 0
      for (const part of parts) {
        if (part.isPaid && isGranted) refill(part, now, waitUntil)
        else if (part.isPaid) giveBack(part)
        settled.push(part.isPaid ? leased(part, isGranted, now) : (grants[index++] ?? NOTHING))
      }
      return settled
    },
  }
}

const NOTHING: Grant = { granted: 0, used: 0, resetIn: 0, retryIn: 0 }

const recordsByStore = new WeakMap<Store, WeakMap<Clock, Lru<KeyRecord>>>()

/** What this isolate knows of a store's keys, by one clock: those of another cannot be compared. */
function recordsOf(store: Store, clock: Clock): Lru<KeyRecord> {
  const byClock = recordsByStore.get(store) ?? new WeakMap<Clock, Lru<KeyRecord>>()
  recordsByStore.set(store, byClock)
  const records = byClock.get(clock) ?? lru<KeyRecord>()
  byClock.set(clock, records)
  return records
}

function recordOf(records: Lru<KeyRecord>, { policy, client }: Demand): KeyRecord {
  // No policy's name holds a line break.
  const key = `${client}\n${policy}`
  const known = records.get(key)
  if (known !== undefined) return known
  const record = newRecord()
  records.set(key, record)
  return record
}

/** How many units to take ahead together with a demand. */
const refillOf = ({ demand, record, ahead }: Part, lease: Lease, now: number): number =>
  refillSize(lease, record.window, demand.limit, ahead, now)

/** What the store may know of the window that its answer will most likely be about. */
function observedBy(part: Part | undefined, now: number, clock: Clock): Observed | undefined {
  if (part === undefined) return undefined
  const { demand, record } = part
  const { window, isUncertain } = record
  if (window === undefined || isUncertain || window.until - now > demand.window) return undefined
  return { used: window.used, isOpen: () => ifOpen(window, clock()) !== undefined }
}

/** Learns from a grant, keeps the units taken ahead, and returns what the limiter is told. */
function settle(
  part: Part | undefined,
  asked: Asked | undefined,
  grant: Grant,
  since: number,
  now: number,
): Grant {
  // A store made of stores may have counted elsewhere: that tells nothing of this store's count.
  if (!part || !asked || (grant.source ?? 'store') !== 'store') return grant
  const { demand, record, lease } = part
  const isCurrent = learn(record, asked, grant, since, now)
  const told = grant.window === 'observed' ? inWindow(grant, demand, asked, now) : grant
  if (lease === undefined) return told
  if (isCurrent) addUnits(lease, grant.granted - demand.cost)
  // Of answers that overtook each other the newer one knows more.
  const used = Math.max(record.window?.used ?? 0, grant.used) - lease.units
  return { ...told, granted: Math.min(grant.granted, demand.cost), used: Math.max(0, used) }
}

/** A grant that was counted in the window observed before, completed by when that window ends. */
function inWindow(grant: Grant, demand: Demand, { window }: Asked, now: number): Grant {
  const { granted, used } = grant
  if (window === undefined) return grant
  const wait = granted < demand.cost ? retryIn(window, now) : 0
  return { granted, used, resetIn: resetIn(window, now), retryIn: wait }
}

/** Refuses a call of which a demand is certain to be refused. Other demands may be unknown here. */
function refuse(parts: readonly Part[], now: number): readonly Grant[] {
  const grants: Grant[] = []
  for (const { demand, record, lease, isRefused } of parts) {
    const { window } = record
    if (window === undefined) grants.push({ ...NOTHING, unseen: true, source: 'known' })
    else {
      grants.push({
        granted: 0,
        used: Math.min(window.used - (lease?.units ?? 0), demand.limit),
        resetIn: resetIn(window, now),
        retryIn: isRefused ? retryIn(window, now) : 0,
        source: 'known',
      })
    }
  }
  return grants
}

/** Sets held units aside, so that nobody else spends them meanwhile. Returns the parts without units. */
function setAside(parts: readonly Part[]): readonly Part[] {
  const unpaid: Part[] = []
  for (const part of parts) {
    if (part.isPaid && part.lease) part.lease.units -= part.demand.cost
    else unpaid.push(part)
  }
  return unpaid
}

/** Returns units that were set aside, unless their window has ended. */
function giveBack({ demand, record, lease, life }: Part): void {
  if (lease && record.life === life) lease.units += demand.cost
}

/** The grant of a demand that held units paid for, or would have. */
function leased({ demand, record, lease }: Part, isGranted: boolean, now: number): Grant {
  const { window } = record
  return {
    granted: isGranted ? demand.cost : 0,
    used: window ? window.used - (lease?.units ?? 0) : 0,
    resetIn: window ? resetIn(window, now) : 0,
    retryIn: 0,
    source: 'lease',
  }
}

const costOf = (part: Part | undefined) => part?.demand.cost ?? 0

/** Work that the host rejects (its method was passed unbound) may still finish by itself. */
function keepAlive(waitUntil: NonNullable<WaitUntil>, work: Promise<unknown>, log: Log): void {
  new Promise<void>((resolve) => resolve(waitUntil(work))).catch((error: unknown) =>
    log(`waitUntil failed (${error}): pass it as (work) => context.waitUntil(work)`),
  )
}
