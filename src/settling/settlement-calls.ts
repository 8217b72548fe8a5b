import { withDeadline } from '../deadline.ts'
import { detectPlatform } from '../environment.ts'
import { type Knowledge, keyOfRecord } from '../isolate/knowledge.ts'
import { MAX_KEYS } from '../isolate/lru.ts'
import type { GuardOptions, Settlement, Store } from '../stores/store.ts'

/** How many settlements one call sends. */
const MAX_PER_CALL = 100

/**
 * How often a demand is sent that the store refuses while units of its client are given back. Each
 * time, other requests of the client may take these units first.
 */
const MAX_ATTEMPTS = 8

interface Unanswered {
  readonly settlement: Settlement
  readonly sentAt: number
}

/** What an isolate knows of the settlements of one store. */
interface Settlements {
  /** Those that the store has not answered, at most `MAX_KEYS`. */
  readonly unanswered: Map<string, Unanswered>
  /** The keys that are being taken from. */
  readonly watched: Map<string, Watch>
}

interface Watch {
  /** How many calls take from the key. */
  takes: number
  /** How many settlements have given back units of the key meanwhile. */
  returned: number
}

const settlementsOf = new WeakMap<Knowledge, Settlements>()

/** What an isolate does with the settlements of a remote store. */
export interface SettlementCalls {
  readonly settle: NonNullable<Store['settle']>
  /**
   * Takes demands that are settled later. If the store refuses a client, settlements that would give
   * back units and have no answer are sent once more, which is harmless. The demands are sent again
   * if units were given back since they were sent: network calls may overtake each other.
   */
  readonly take: Store['take']
}

export function settlementCalls(
  store: Store,
  { timeout, clock, timer }: GuardOptions,
  known: Knowledge,
  take: Store['take'],
): SettlementCalls {
  const settlements = settlementsOf.get(known) ?? { unanswered: new Map(), watched: new Map() }
  settlementsOf.set(known, settlements)
  // A server keeps running after the response.
  const keepsRunning = detectPlatform() === 'server' ? () => {} : undefined
  const { unanswered, watched } = settlements

  function note(settlement: Settlement): void {
    unanswered.set(nameOf(settlement), { settlement, sentAt: clock() })
  }

  /** Sends settlements in one call. Those that get no answer are sent again later. */
  async function settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    for (const settlement of settlements) {
      if (unanswered.size < MAX_KEYS || unanswered.has(nameOf(settlement))) note(settlement)
    }
    try {
      const call = async (signal: AbortSignal) => store.settle?.(settlements, { signal })
      const changed = await withDeadline(timeout, call, { clock, timer })
      for (const settlement of settlements) {
        unanswered.delete(nameOf(settlement))
        const watch = givesBack(settlement) && watched.get(keyOfRecord(settlement))
        if (watch) watch.returned++
      }
      return changed ?? []
    } catch {
      return settlements.map(() => false)
    }
  }

  /** Sends settlements again. */
  async function sendAgain(settlements: readonly Settlement[]): Promise<void> {
    const size = store.oneClient ? 1 : MAX_PER_CALL
    // All at once, so that requests at the same time do not send the later ones, too.
    settlements.forEach(note)
    for (let from = 0; from < settlements.length; from += size) {
      await settle(settlements.slice(from, from + size))
    }
  }

  /** Those that would give back units of these keys, however recently they were sent. */
  function givingBack(keys: ReadonlySet<string>): readonly Settlement[] {
    return [...unanswered.values()].flatMap(({ settlement }) =>
      givesBack(settlement) && keys.has(keyOfRecord(settlement)) ? [settlement] : [],
    )
  }

  /** Those whose call has ended, maybe with its request. */
  function overdue(now: number): readonly Settlement[] {
    return [...unanswered.values()].flatMap(({ settlement, sentAt }) =>
      Math.abs(now - sentAt) > timeout ? [settlement] : [],
    )
  }

  function watchKey(key: string): Watch {
    const watch = watched.get(key) ?? { takes: 0, returned: 0 }
    watched.set(key, watch)
    watch.takes++
    return watch
  }

  function unwatchKey(key: string): void {
    const watch = watched.get(key)
    if (watch && --watch.takes === 0) watched.delete(key)
  }

  return {
    settle,
    async take(demands, options) {
      const keys = new Set(demands.filter(({ settling }) => settling).map(keyOfRecord))
      const watches = [...keys].map(watchKey)
      const start = clock()
      const countReturned = () => watches.reduce((sum, { returned }) => sum + returned, 0)
      try {
        for (let attempt = 1; ; attempt++) {
          const before = countReturned()
          const grants = await take(demands, options)
          if (grants.some(({ source = 'store' }) => source !== 'store')) return grants
          const isRefused = grants.some(({ granted }, index) => {
            return granted < (demands[index]?.cost ?? 0)
          })
          // A store that is so slow is not asked again.
          if (isRefused && attempt < MAX_ATTEMPTS && clock() - start < timeout / 2) {
            await sendAgain(givingBack(keys))
            if (countReturned() !== before) continue
          }
          const due = overdue(clock())
          const keepAlive = options?.waitUntil ?? keepsRunning
          if (due.length > 0) keepAlive?.(sendAgain(due))
          return grants
        }
      } finally {
        for (const key of keys) unwatchKey(key)
      }
    },
  }
}

const nameOf = (settlement: Settlement): string => `${settlement.id}\n${keyOfRecord(settlement)}`
const givesBack = ({ used, reserved }: Settlement): boolean => used < reserved
