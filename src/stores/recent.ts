/** What an isolate keeps of clients: so many keys, the one least recently used forgotten first. */
export interface Recent<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

/** How many keys each part of an isolate remembers unless told otherwise: a few MB when full. */
export const MAX_KEYS = 10_000

/** Whoever invents keys can only make it forget: it never grows beyond `maxKeys`. */
export function recent<Value>(maxKeys = MAX_KEYS): Recent<Value> {
  // A map iterates in the order of insertion, so its first entry is the one that nobody asked for
  // longest.
  const entries = new Map<string, Value>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= maxKeys) return
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        return
      }
    },
    delete: (key) => void entries.delete(key),
  }
}
