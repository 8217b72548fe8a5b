import { withDeadline } from '../deadline.ts'
import { type Knowledge, keyOfRecord } from '../isolate/knowledge.ts'
import { MAX_KEYS } from '../isolate/lru.ts'
import type { CountedKey, GuardOptions, Settlement, Store } from '../stores/store.ts'

/** How many settlements one call sends. */
const MAX_PER_CALL = 100

interface Unanswered {
  readonly settlement: Settlement
  readonly sentAt: number
}

/** Settlements that a store has not answered, at most `MAX_KEYS` for each store. */
const unansweredOf = new WeakMap<Knowledge, Map<string, Unanswered>>()

/** What an isolate does with the settlements of a remote store. */
export interface SettlementCalls {
  readonly settle: NonNullable<Store['settle']>
  /**
   * Takes demands that are settled later. If the store refuses a client whose settlements it has not
   * answered, they are sent once more, which is harmless, and then the demands.
   */
  readonly take: Store['take']
}

export function settlementCalls(
  store: Store,
  { timeout, clock, timer }: GuardOptions,
  known: Knowledge,
  take: Store['take'],
): SettlementCalls {
  const unanswered = unansweredOf.get(known) ?? new Map<string, Unanswered>()
  unansweredOf.set(known, unanswered)

  /** Sends settlements in one call. Those that get no answer are sent again later. */
  async function settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    for (const settlement of settlements) {
      const name = nameOf(settlement)
      if (unanswered.size >= MAX_KEYS && !unanswered.has(name)) continue
      unanswered.set(name, { settlement, sentAt: clock() })
    }
    try {
      const call = async (signal: AbortSignal) => store.settle?.(settlements, { signal })
      const changed = await withDeadline(timeout, call, { clock, timer })
      for (const settlement of settlements) unanswered.delete(nameOf(settlement))
      return changed ?? []
    } catch {
      return settlements.map(() => false)
    }
  }

  /** Sends settlements again. Returns whether there are any. */
  async function sendAgain(settlements: readonly Settlement[]): Promise<boolean> {
    const size = store.oneClient ? 1 : MAX_PER_CALL
    for (let from = 0; from < settlements.length; from += size) {
      await settle(settlements.slice(from, from + size))
    }
    return settlements.length > 0
  }

  /** Those of these keys, however recently they were sent. */
  function ofKeys(keys: readonly CountedKey[]): readonly Settlement[] {
    const names = new Set(keys.map(keyOfRecord))
    return [...unanswered.values()].flatMap(({ settlement }) =>
      names.has(keyOfRecord(settlement)) ? [settlement] : [],
    )
  }

  /** Those whose call has ended, maybe with its request. */
  function overdue(now: number): readonly Settlement[] {
    const due = [...unanswered.values()].filter(({ sentAt }) => Math.abs(now - sentAt) > timeout)
    return due.map(({ settlement }) => settlement)
  }

  return {
    settle,
    async take(demands, options) {
      const grants = await take(demands, options)
      if (unanswered.size === 0) return grants
      if (grants.some(({ source = 'store' }) => source !== 'store')) return grants
      const isRefused = grants.some(({ granted }, index) => granted < (demands[index]?.cost ?? 0))
      if (isRefused) return (await sendAgain(ofKeys(demands))) ? take(demands, options) : grants
      const due = overdue(clock())
      if (due.length > 0) options?.waitUntil?.(sendAgain(due))
      return grants
    },
  }
}

const nameOf = (settlement: Settlement): string => `${settlement.id}\n${keyOfRecord(settlement)}`
