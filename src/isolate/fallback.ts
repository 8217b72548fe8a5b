import { StoreError } from '../errors.ts'
import type { Log } from '../quiet-log.ts'
import { saidBy } from '../stores/redis-protocol/redis-error.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import type { OutageListener } from './outage-log.ts'

/**
 * A store that never throws: while the first one fails, the second, local one counts in its place
 * and its grants say so. An outage lasts from the first failure to the next answer.
 */
export function fallback(store: Store, local: Store, listener: OutageListener, log: Log): Store {
  /** Checks counted locally in this outage. */
  let missed = 0
  return {
    async take(demands, options) {
      try {
        const grants = await store.take(demands, options)
        if (!isAnswer(grants, demands.length)) {
          throw new StoreError('rejected', 'the store did not answer with one grant per demand')
        }
        if (missed > 0) listener.onBack?.(missed)
        missed = 0
        return grants
      } catch (error) {
        missed++
        if (missed === 1) report(listener, asStoreError(error, demands), log)
        else listener.onMissed?.()
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

function report(listener: OutageListener, error: StoreError, log: Log): void {
  new Promise((resolve) => resolve(listener.onAway(error))).catch((cause: unknown) =>
    log(`onStoreError failed: ${saidBy(cause)}`),
  )
}

/** A store of somebody else's may throw anything; an outage it is all the same. */
function asStoreError(error: unknown, demands: readonly Demand[]): StoreError {
  if (error instanceof StoreError) return error
  const isError = error instanceof Error
  // Keys and tokens may stand in a URL's path, in a header, and in whatever has such a name.
  const text = (isError ? `${error.name}: ${error.message}` : String(error))
    .replace(/:\/\/\S*@/g, '://')
    .replace(/\S*@\S*/g, '…')
    .replace(/(:\/\/[^\s/?#"']*)[^\s"']*/g, '$1/…')
    .replace(/(bearer |basic |(?:token|password|secret|key)["']?[=:] ?["']?)[^\s"']+/gi, '$1…')
  const shown = demands.reduce((said, { client }) => said.replaceAll(client || '…', '…'), text)
  const said = saidBy(isError ? new Error(shown, { cause: error.cause }) : shown)
  return new StoreError('unreachable', `the store failed: ${said}`, { cause: new Error(said) })
}
