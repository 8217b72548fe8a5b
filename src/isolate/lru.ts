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
 * @param isKept whether an entry of the map that is dropped stays, if there is room: such entries
 * hold up to a quarter of all
 */
export function lru<Value>(
  isKept: (value: Value) => boolean = () => false,
  maxKeys = MAX_KEYS,
): Lru<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(key: string, value: Value): void {
    young.set(key, value)
    if (young.size < maxKeys / 2) return
    const dropped = old
    old = young
    young = new Map()
    for (const [droppedKey, droppedValue] of dropped) {
      if (young.size + 1 > maxKeys / 4) return
      if (!old.has(droppedKey) && isKept(droppedValue)) young.set(droppedKey, droppedValue)
    }
  }

  return {
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const found = old.get(key)
      if (found !== undefined) set(key, found)
      return found
    },
    set,
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
  }
}
