import { StoreError } from '../errors.ts'
import type { Store } from './store.ts'

/**
 * A store that never throws: while the first one fails, the second, local one counts in its place
 * and its grants say so. `report` hears of the first failure of an outage, and again after the
 * store was back in between.
 */
export function fallback(store: Store, local: Store, report: (error: StoreError) => void): Store {
  let away = false
  return {
    async take(demands, options) {
      try {
        const grants = await store.take(demands, options)
        away = false
        return grants
      } catch (error) {
        if (!away) report(asStoreError(error))
        away = true
        const grants = await local.take(demands)
        return grants.map((grant) => ({ ...grant, source: 'local' }))
      }
    },
  }
}

/** A store of somebody else's may throw anything; an outage it is all the same. */
function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('unreachable', 'the store failed with an error of its own', {
    cause: error,
  })
}
