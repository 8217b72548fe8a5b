/** What an isolate keeps of clients: so many keys, those least recently used forgotten first. */
export interface Lru<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

/** How many keys each part of an isolate remembers at most: a few MB when full. */
export const MAX_KEYS = 10_000

/**
 * Whoever invents keys can only make it forget: it never grows beyond `maxKeys`. In two generations,
 * since a map from which the first key is taken again and again gets slow: when the young one is
 * full the old one is dropped, and with it what was not asked for meanwhile.
 */
export function lru<Value>(maxKeys = MAX_KEYS): Lru<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(key: string, value: Value): void {
    young.set(key, value)
    if (young.size < maxKeys / 2) return
    old = young
    young = new Map()
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
