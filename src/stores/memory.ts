import { type Clock, systemClock } from '../clock.ts'
import { checkKeys, insist } from '../errors.ts'
import { checkCount } from '../policy/duration.ts'
import { DEFAULT_PREFIX, keyOf } from './key.ts'
import type { Store } from './store.ts'
import { takeFixedWindow, type Window } from './window.ts'

export interface MemoryOptions {
  /**
   * How many keys to hold. Beyond it the windows that opened first are forgotten, a sixteenth of
   * them at once, so that a client who invents keys can only free clients, never fill the memory:
   * about 150 bytes a key.
   * @default 10_000
   */
  readonly maxKeys?: number | undefined
  /**
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

/**
 * Counts in this isolate's memory: exact within it, shared with no other, lost with it. For
 * development, for a single server, and as the fallback while a shared store is away.
 */
export function memory(options: MemoryOptions = {}): Store {
  checkKeys('memory', options, ['maxKeys', 'clock'])
  const { maxKeys = 10_000, clock = systemClock } = options
  checkCount('maxKeys', maxKeys)
  insist(typeof clock === 'function', 'clock', clock, 'a function that returns milliseconds')
  // A map iterates in the order of insertion, so its first entry is the window that opened first.
  const windows = new Map<string, Window>()

  /**
   * Windows that have ended go first, then those that opened first: until a sixteenth is free, so
   * that looking at all of them is a matter of every so many keys.
   */
  function makeRoom(now: number): void {
    for (const [key, { endsAt }] of windows) if (endsAt <= now) windows.delete(key)
    const most = maxKeys - Math.floor(maxKeys / 16)
    for (const key of windows.keys()) {
      if (windows.size <= most) return
      windows.delete(key)
    }
  }

  function keep(key: string, before: Window | undefined, window: Window | undefined): void {
    // A window that begins goes to the end of the map.
    if (before?.endsAt !== window?.endsAt) windows.delete(key)
    if (window === undefined) return
    windows.set(key, window)
  }

  return {
    local: true,
    async take(demands) {
      const now = clock()
      const keys = demands.map((demand) => keyOf(DEFAULT_PREFIX, demand))
      const before = keys.map((key) => windows.get(key))
      const after = takeFixedWindow(demands, before, now)
      for (const [index, key] of keys.entries()) keep(key, before[index], after.windows[index])
      if (windows.size > maxKeys) makeRoom(now)
      return after.grants
    },
  }
}
