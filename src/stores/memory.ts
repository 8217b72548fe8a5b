import { assertCount, assertFunction, assertKeys } from '../checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { takeFixedWindow, type Window } from './fixed-window.ts'
import type { Demand, Store } from './store.ts'

export interface MemoryOptions {
  /**
   * How many windows to keep for each policy, about 150 bytes each. If there are more, a sixteenth
   * of them is evicted at once: those that have ended, then the oldest. An attacker who invents
   * keys evicts others but cannot grow the memory.
   * @default 10_000
   */
  readonly maxKeys?: number | undefined
  /**
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

/** The windows of one policy by client, in the order in which they open and end. */
type Windows = Map<string, Window>

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
  assertFunction('clock', clock, 'a function that returns milliseconds')
  // Two levels, policy and client: joining them to one key would cost time in each request.
  const policies = new Map<string, Windows>()

  function windowsOf({ policy }: Demand): Windows {
    let windows = policies.get(policy)
    if (windows === undefined) {
      windows = new Map()
      policies.set(policy, windows)
    }
    return windows
  }

  function keep(
    demand: Demand,
    before: Window | undefined,
    after: Window | undefined,
    now: number,
  ): void {
    if (before === after) return
    const windows = windowsOf(demand)
    // A new window goes to the end of the map.
    if (before && before.endsAt !== after?.endsAt) windows.delete(demand.client)
    if (after) windows.set(demand.client, after)
    if (windows.size > maxKeys) makeRoom(windows, now)
  }

  function makeRoom(windows: Windows, now: number): void {
    const most = maxKeys - Math.floor(maxKeys / 16)
    for (const [client, { endsAt }] of windows) {
      if (windows.size <= most && endsAt > now) return
      windows.delete(client)
    }
  }

  return {
    guard: 'none',
    label: 'memory of this isolate',
    async take(demands) {
      const now = clock()
      const before = demands.map((demand) => windowsOf(demand).get(demand.client))
      const { grants, windows } = takeFixedWindow(demands, before, now)
      let index = 0
      for (const demand of demands) {
        keep(demand, before[index], windows[index], now)
        index++
      }
      return grants
    },
  }
}
