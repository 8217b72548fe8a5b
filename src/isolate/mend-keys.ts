import { systemTimer } from '../clock.ts'
import type { StoreError } from '../errors.ts'
import type { GuardOptions } from '../stores/guard-options.ts'
import type { Demand } from '../stores/store.ts'
import { owesUnits } from './debts.ts'
import { type DemandState, lookAt } from './demand-state.ts'
import { type Knowledge, noteUnmended } from './knowledge.ts'
import { isReply } from './outage.ts'
import type { KeyRecord } from './record.ts'

/**
 * After this time, in ms, keys are healed once more: a count that got no answer may reach the
 * server later than the first look.
 */
const HEAL_AGAIN_MS = 5000

/** In ms: how long the work rests after a failure. */
const REST_MS = 1000

/** In ms: after this time the work may begin again, even if a call is still on its way. */
const MAX_CALL_MS = 60_000

/**
 * Sends a call about keys. Returns its error if it failed, or that of the outage if the backend is
 * away. With `oneClient`, an away backend is probed first if a probe is due.
 */
export type Look = (states: readonly DemandState[]) => Promise<StoreError | undefined>

/** Whether no call that charges or heals keys is on its way, nor has one just failed. */
export const canMend = ({ mendingUntil }: Knowledge, now: number): boolean =>
  // A clock that was set back must not stop this work.
  now >= mendingUntil || mendingUntil - now > MAX_CALL_MS

/**
 * Charges keys with what they owe, and heals those that may lack an expiry, one call at a time,
 * until a call fails. A call of no cost does both. The host may stop this work at any moment; an
 * answer of the store starts it again.
 *
 * @param oneClient whether a call can count one client only, and each client has its backend
 */
export async function mendKeys(
  known: Knowledge,
  oneClient: boolean,
  look: Look,
  { clock, timer = systemTimer, timeout }: Pick<GuardOptions, 'clock' | 'timer' | 'timeout'>,
): Promise<void> {
  const { unmended } = known
  /** How many keys the server has refused. */
  let refused = 0
  const healed: Entry[] = []

  /** Sends a call for these keys. Returns whether their backend answers. */
  async function lookAtKeys(call: Call): Promise<boolean> {
    known.mendingUntil = clock() + Math.min(2 * timeout, MAX_CALL_MS)
    const [[record]] = call
    const error = await look(call.map(([record, demand]) => lookAt(record, demand)))
    if (error === undefined) {
      for (const entry of call) {
        const [record] = entry
        if (record.needsHealing) healed.push(entry)
        record.needsHealing = false
        if (!owesUnits(record, clock())) unmended.delete(record)
      }
      return true
    }
    if (call.length === 1) {
      if (error.scope === 'store') return false
      // It is charged when its client comes back.
      unmended.delete(record)
      refused++
      return true
    }
    if (!isReply(error)) return false
    const refusedBefore = refused
    for (const entry of call) if (!(await lookAtKeys([entry]))) return false
    // Each key was answered alone, so the server rejects calls for several keys.
    if (refused === refusedBefore) known.keysPerCall = 1
    return true
  }

  async function lookAtAll(entries: readonly Entry[]): Promise<void> {
    let isAnswered = true
    for (const call of callsOf(entries, oneClient, known.keysPerCall)) {
      if (await lookAtKeys(call)) continue
      isAnswered = false
      // Another client may have another backend.
      if (!oneClient) break
    }
    known.mendingUntil = isAnswered ? Number.NEGATIVE_INFINITY : clock() + REST_MS
  }

  const entries: Entry[] = []
  for (const entry of unmended) {
    const [record] = entry
    if (record.needsHealing || owesUnits(record, clock())) entries.push(entry)
    else unmended.delete(record)
  }
  await lookAtAll(entries)
  if (healed.length === 0) return
  await new Promise<void>((resolve) => timer(HEAL_AGAIN_MS, resolve))
  const again = healed.splice(0)
  for (const [record, demand] of again) {
    record.needsHealing = true
    noteUnmended(known, record, demand)
  }
  await lookAtAll(again)
}

type Entry = readonly [KeyRecord, Demand]
type Call = readonly [Entry, ...Entry[]]

/** Divides keys into calls: of so many keys, or of one client where a store requires it. */
function callsOf(
  entries: Iterable<Entry>,
  oneClient: boolean,
  keysPerCall: number,
): Iterable<Call> {
  const calls = new Map<string | number, [Entry, ...Entry[]]>()
  let index = 0
  for (const entry of entries) {
    const group = oneClient ? entry[1].client : Math.floor(index++ / keysPerCall)
    const call = calls.get(group)
    if (call) call.push(entry)
    else calls.set(group, [entry])
  }
  return calls.values()
}
