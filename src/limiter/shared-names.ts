import type { Policy } from '../policy/policy.ts'

/** The limits and windows that policies of one name have, for each store or maker of stores. */
const known = new WeakMap<object, Map<string, string>>()

/**
 * Warns where two limiters over one store have policies of one name that are not the same: they
 * count under one key, so each spends the other's units. A second unnamed policy is how that
 * happens.
 */
export function warnOfSharedNames(store: object, policies: readonly Policy[]): void {
  const names = known.get(store) ?? new Map<string, string>()
  known.set(store, names)
  for (const { name, limit, window } of policies) {
    const quota = `${limit} per ${window} ms`
    const other = names.get(name) ?? quota
    names.set(name, quota)
    if (other === quota) continue
    console.warn(
      `tidegate: two policies ${name ? `named "${name}"` : 'without a name'} (${other}, ${quota}) ` +
        'share their counts in one store: give each a name of its own',
    )
  }
}
