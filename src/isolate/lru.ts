/** A bounded map of keys, which evicts the least recently used. */
export interface Lru<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

/** The default size: a few MB when full. */
export const MAX_KEYS = 10_000

/**
 * Holds at most `maxKeys` entries. An attacker who invents keys evicts others but cannot grow the
 * memory. Has two generations, because deleting the first key of one `Map` over and over is slow:
 * when the young map is full, the old one is dropped.
 *
 * @param isKept whether an entry stays when the old map is dropped. Such entries take up to half of
 * the places; beyond that, the least recently used of them are evicted
 */
export function lru<Value>(
  isKept: (value: Value) => boolean = () => false,
  maxKeys = MAX_KEYS,
): Lru<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()
  /** The least recently used first. */
  const kept = new Map<string, Value>()

  function set(key: string, value: Value): void {
    kept.delete(key)
    young.set(key, value)
    const room = maxKeys - kept.size
    if (young.size >= room / 2 || young.size + old.size >= room) rotate()
  }

  function rotate(): void {
    const dropped = old
    old = young
    young = new Map()
    for (const [key, value] of kept) if (!isKept(value)) kept.delete(key)
    for (const [key, value] of dropped) if (!old.has(key) && isKept(value)) kept.set(key, value)
    for (const key of kept.keys()) {
      if (kept.size <= maxKeys / 2) return
      kept.delete(key)
    }
  }

  return {
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const found = old.get(key) ?? kept.get(key)
      if (found !== undefined) set(key, found)
      return found
    },
    set,
    delete(key) {
      young.delete(key)
      old.delete(key)
      kept.delete(key)
    },
  }
}
