import { withDeadline } from '../deadline.ts'
import { detectPlatform } from '../environment.ts'
import { type Knowledge, keyOfRecord } from '../isolate/knowledge.ts'
import { type Lru, lru, MAX_KEYS } from '../isolate/lru.ts'
import type { GuardOptions } from '../stores/guard-options.ts'
import type { Settlement, Store } from '../stores/store.ts'

/** How many settlements one call sends. */
const MAX_PER_CALL = 100

/**
 * How often a demand is sent that the store refuses while units of its client are given back: each
 * time, other requests of the client may take these units first. And how often a settlement is sent
 * that gets no answer: the store may reject it for ever.
 */
const MAX_ATTEMPTS = 8

interface Unanswered {
  readonly settlement: Settlement
  sentAt: number
  /** How many calls have failed. */
  failed: number
}

/** What an isolate knows of the settlements of one store. */
interface Settlements {
  /** Those that the store has not answered, at most `MAX_KEYS`. */
  readonly unanswered: Map<string, Unanswered>
  /** How many settlements have given back units of a key. */
  readonly returned: Lru<number>
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
  const settlements = settlementsOf.get(known) ?? { unanswered: new Map(), returned: lru() }
  settlementsOf.set(known, settlements)
  // A server keeps running after the response.
  const keepsRunning = detectPlatform() === 'server' ? () => {} : undefined
  const { unanswered, returned } = settlements
  let sending = 0

  function note(settlement: Settlement): void {
    const name = nameOf(settlement)
    const noted = unanswered.get(name) ?? { settlement, sentAt: 0, failed: 0 }
    noted.sentAt = clock()
    if (unanswered.size < MAX_KEYS) unanswered.set(name, noted)
  }

  /** Sends settlements in one call. Those that get no answer are sent again later. */
  async function settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    settlements.forEach(note)
    // A store that is away gets one call at a time.
    if (sending && known.breaker.openedAt !== undefined) return settlements.map(() => false)
    sending++
    try {
      const call = async (signal: AbortSignal) => store.settle?.(settlements, { signal })
      const changed = await withDeadline(timeout, call, { clock, timer })
      for (const settlement of settlements) {
        unanswered.delete(nameOf(settlement))
        const key = keyOfRecord(settlement)
        if (givesBack(settlement)) returned.set(key, (returned.get(key) ?? 0) + 1)
      }
      return changed ?? []
    } catch {
      for (const settlement of settlements) {
        const noted = unanswered.get(nameOf(settlement))
        if (noted && ++noted.failed === MAX_ATTEMPTS) unanswered.delete(nameOf(settlement))
      }
      return settlements.map(() => false)
    } finally {
      sending--
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

  const unansweredIf = (isChosen: (one: Unanswered) => boolean): readonly Settlement[] =>
    [...unanswered.values()].filter(isChosen).map(({ settlement }) => settlement)

  return {
    settle,
    async take(demands, options) {
      const keys = new Set(demands.filter(({ settling }) => settling).map(keyOfRecord))
      const start = clock()
      const countReturned = () => `${[...keys].map(returned.get)}`
      for (let asked = demands, attempt = 1; ; attempt++) {
        const before = countReturned()
        const grants = await take(asked, options)
        if (grants.some(({ source = 'store' }) => source !== 'store')) return grants
        const isRefused = grants.some(({ granted }, index) => {
          return granted < (demands[index]?.cost ?? 0)
        })
        // A store that is so slow is not asked again.
        if (isRefused && attempt < MAX_ATTEMPTS && clock() - start < timeout / 2) {
          // However recently they were sent.
          await sendAgain(
            unansweredIf(
              ({ settlement }) => givesBack(settlement) && keys.has(keyOfRecord(settlement)),
            ),
          )
          if (countReturned() !== before) {
            // The refused demand may have named a window that ends before the next attempt.
            asked = demands.map((demand) => ({
              ...demand,
              settling: demand.settling && demand.settling + attempt,
            }))
            continue
          }
        }
        // Their calls have ended, maybe with their requests.
        const due = unansweredIf(({ sentAt }) => Math.abs(clock() - sentAt) > timeout)
        const keepAlive = options?.waitUntil ?? keepsRunning
        if (due.length > 0) keepAlive?.(sendAgain(due))
        return grants
      }
    },
  }
}

const nameOf = (settlement: Settlement): string => `${settlement.id}\n${keyOfRecord(settlement)}`
const givesBack = ({ used, reserved }: Settlement): boolean => used < reserved
