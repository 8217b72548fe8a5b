import { assertCount, assertFunction, assertKeys } from '../checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { takeFixedWindow, type Window } from './fixed-window.ts'
import type { CountedKey, Demand, Store } from './store.ts'
import type { Kept, MemoryAccess } from './store-access.ts'

export interface MemoryOptions {
  /**
   * How many windows to keep for each policy, about 150 bytes each. If there are more, a sixteenth
   * of them is evicted at once: those that have ended, then the oldest. The windows of exhausted
   * clients stay, up to half of `maxKeys`. So an attacker who invents keys cannot grow the memory,
   * and frees an exhausted client only by exhausting that many keys.
   * @default 10_000
   */
  readonly maxKeys?: number | undefined
  /**
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

/**
 * Counts in this isolate's memory: exact within the isolate, not shared with others, and lost when
 * the isolate ends. For development and for a single server.
 *
 * @example
 * const limiter = createLimiter({ limit: 100, window: '1m', store: memory() })
 */
export function memory(options: MemoryOptions = {}): Store {
  assertKeys('memory', options, ['maxKeys', 'clock'])
  const { maxKeys = 10_000, clock = systemClock } = options
  assertCount('maxKeys', maxKeys)
  assertFunction('clock', clock)
  // Two levels, policy and client: joining them to one key would cost time in each request.
  const policies = new Map<string, Kept>()

  function keptOf({ policy }: CountedKey): Kept {
    let kept = policies.get(policy)
    if (kept === undefined) {
      kept = { windows: new Map(), exhausted: new Set() }
      policies.set(policy, kept)
    }
    return kept
  }

  function keep(
    demand: Demand,
    before: Window | undefined,
    after: Window | undefined,
    now: number,
  ): void {
    const { client, limit, cost } = demand
    const kept = keptOf(demand)
    const { windows, exhausted } = kept
    // A new window goes to the end of the map.
    if (before && before.endsAt !== after?.endsAt) drop(kept, client)
    if (!after) return
    if (before !== after) windows.set(client, after)
    if (after.used + cost > limit) exhausted.add(client)
    if (windows.size > maxKeys) makeRoom(kept, now)
  }

  function makeRoom(kept: Kept, now: number): void {
    const { windows, exhausted } = kept
    const most = maxKeys - Math.floor(maxKeys / 16)
    for (const client of exhausted) {
      if (exhausted.size <= maxKeys / 2) break
      exhausted.delete(client)
    }
    for (const [client, { endsAt }] of windows) {
      if (windows.size <= most && endsAt > now) return
      if (endsAt <= now || !exhausted.has(client)) drop(kept, client)
    }
  }

  /** Runs without a break, though it returns a promise. */
  const take: MemoryAccess['take'] = async (demands, _options, complete) => {
    const now = clock()
    const before = demands.map((demand) => keptOf(demand).windows.get(demand.client))
    const taken = takeFixedWindow(demands, before, now)
    const { grants, windows } = complete ? complete(taken) : taken
    let index = 0
    for (const demand of demands) {
      keep(demand, before[index], windows[index], now)
      index++
    }
    return grants
  }

  const access: MemoryAccess = { kind: 'memory', clock, take, keptOf }

  return {
    guard: 'none',
    label: 'memory of this isolate',
    take,
    async reset(keys) {
      for (const key of keys) drop(keptOf(key), key.client)
    },
    access,
  }
}

function drop({ windows, exhausted }: Kept, client: string): void {
  windows.delete(client)
  exhausted.delete(client)
}
