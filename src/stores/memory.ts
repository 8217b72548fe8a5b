import { type Clock, systemClock } from '../clock.ts'
import { ConfigError, show } from '../errors.ts'
import { DEFAULT_PREFIX, keyOf } from './key.ts'
import type { Store } from './store.ts'
import { takeFixedWindow, type Window } from './window.ts'

export interface MemoryOptions {
  /**
   * How many keys to hold. Beyond it the window that opened first is forgotten, so that a client
   * who invents keys can only free clients, never fill the memory: about 150 bytes a key.
   * @default 10_000
   */
  readonly maxKeys?: number
  /**
   * @default the machine's clock
   */
  readonly clock?: Clock
}

/**
 * Counts in this isolate's memory: exact within it, shared with no other, lost with it. For
 * development, for a single server, and as the fallback while a shared store is away.
 */
export function memory(options: MemoryOptions = {}): Store {
  const { maxKeys = 10_000, clock = systemClock } = options
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
    throw new ConfigError('maxKeys', show(maxKeys), 'a whole number of keys, 1 or more')
  }
  if (typeof clock !== 'function') {
    throw new ConfigError('clock', show(clock), 'a function that returns milliseconds')
  }
  // A map iterates in the order of insertion, so its first entry is the window that opened first.
  const windows = new Map<string, Window>()

  return {
    local: true,
    async take(demands) {
      const now = clock()
      const keys = demands.map((demand) => keyOf(DEFAULT_PREFIX, demand))
      const steps = takeFixedWindow(
        demands,
        keys.map((key) => windows.get(key)),
        now,
      )
      for (const [index, key] of keys.entries()) {
        const before = windows.get(key)
        const after = steps[index]?.window
        if (before && before.endsAt <= now) windows.delete(key)
        if (after) windows.set(key, after)
      }
      for (const [oldest, { endsAt }] of windows) {
        if (windows.size <= maxKeys && endsAt > now) break
        windows.delete(oldest)
      }
      return steps.map(({ grant }) => grant)
    },
  }
}
