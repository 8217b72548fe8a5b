import { StoreError } from '../errors.ts'
import type { Grant, Store } from './store.ts'

/** Hears of a store that failed. What it throws is logged and does not reach the request. */
export type Report = (error: StoreError) => unknown

/**
 * A store that never throws: while the first one fails, the second, local one counts in its place
 * and its grants say so. `report` hears of the first failure of an outage, and again after the
 * store was back in between.
 */
export function fallback(store: Store, local: Store, report: Report): Store {
  let away = false
  return {
    async take(demands, options) {
      try {
        const grants = await store.take(demands, options)
        if (!isAnswer(grants, demands.length)) {
          throw new StoreError('rejected', 'the store did not answer with one grant per demand')
        }
        away = false
        return grants
      } catch (error) {
        const first = !away
        away = true
        if (first) tell(report, asStoreError(error))
        // Nothing is taken ahead of a count that only stands in for another.
        const grants = await local.take(demands.map(({ reserve: _, ...demand }) => demand))
        return grants.map((grant) => ({ ...grant, source: 'local' }))
      }
    },
  }
}

/** A store of somebody else's may answer anything, and what is no number would let everybody pass. */
const isAnswer = (grants: unknown, length: number): grants is readonly Grant[] =>
  Array.isArray(grants) &&
  grants.length === length &&
  grants.every((grant: Partial<Grant> | null) =>
    [grant?.granted, grant?.used, grant?.resetIn, grant?.retryIn].every(Number.isFinite),
  )

function tell(report: Report, error: StoreError): void {
  new Promise((resolve) => resolve(report(error))).catch((cause: unknown) =>
    console.error('tidegate: onStoreError failed', cause),
  )
}

/** A store of somebody else's may throw anything; an outage it is all the same. */
function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const kind = error instanceof Error ? error.name : typeof error
  return new StoreError('unreachable', `the store failed with an error of its own, a ${kind}`, {
    cause: error,
  })
}
