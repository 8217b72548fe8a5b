interface KeyedValues<Key, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): unknown
}

/**
 * Returns the value of a key, and inserts what `make` returns if there is none: `getOrInsertComputed`
 * of https://github.com/tc39/proposal-upsert, which runtimes do not have yet.
 */
export function getOrInsert<Key, Value>(
  map: KeyedValues<Key, Value>,
  key: Key,
  make: () => Value,
): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
