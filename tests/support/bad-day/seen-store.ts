import type { StoreErrorCode } from '../../../src/errors.ts'
import type { Demand, Grant, Store } from '../../../src/stores/store.ts'
import type { CallWatch, StoreOperation } from '../../../src/stores/store-call.ts'

/** What becomes of one take. */
export interface TakeListener {
  failed(operation: StoreOperation, error: StoreErrorCode): void
  granted(grants: readonly Grant[]): void
}

/**
 * A store whose limiter's guard is the usual one, with every grant seen: a decision does not tell
 * what decided each policy.
 *
 * @param random the guard's chance
 */
export function seenStore(
  store: Store,
  random: () => number,
  begin: (demands: readonly Demand[]) => TakeListener,
): Store {
  const { guard } = store
  if (typeof guard !== 'function') throw new Error('the store must be remote')
  return {
    ...store,
    guard(inner, options) {
      const guarded = guard(inner, { ...options, random })
      return {
        ...guarded,
        async take(demands, takeOptions) {
          const { failed, granted } = begin(demands)
          const watch: CallWatch = {
            background: [],
            begin: (operation) => (error, ahead) => {
              if (error) failed(operation, error)
              return { operation, took: 0, error, ahead }
            },
          }
          const grants = await guarded.take(demands, { ...takeOptions, watch })
          granted(grants)
          return grants
        },
      }
    },
  }
}
