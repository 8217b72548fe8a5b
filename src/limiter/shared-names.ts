import type { Quota } from '../policy/quota.ts'

/** For each store, or function that makes a store: the limit and window of each policy name. */
const quotasOf = new WeakMap<object, Map<string, string>>()

/**
 * Logs a warning if two limiters over one store have different policies of the same name. Such
 * policies count under one key, so each spends the other's units. Usually neither has a name.
 */
export function warnOfSharedNames(store: object, policies: readonly Quota[]): void {
  const names = quotasOf.get(store) ?? new Map<string, string>()
  quotasOf.set(store, names)
  for (const { name, limit, window } of policies) {
    const quota = `${limit} per ${window} ms`
    const other = names.get(name) ?? quota
    names.set(name, quota)
    if (other === quota) continue
    console.warn(
      `tidegate: two policies ${name ? `named "${name}"` : 'without a name'} (${other}, ${quota}) ` +
        'share their counts in one store: give each policy its own name',
    )
  }
}
