import { StoreError } from '../errors.ts'
import type { Log } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { OutageListener } from './outage-log.ts'

/** Reports an outage to its listener: from the first failure to the next answer. */
export interface Outage {
  /**
   * Notes that a call has failed, or was not sent because of `error`. Without a cost it is no
   * request.
   */
  fail(error: unknown, demands: readonly Demand[]): void
  /** Notes that the store has answered. */
  end(): void
}

export function reportedOutage(listener: OutageListener, log: Log): Outage {
  let isAway = false
  /** Requests decided here in this outage. */
  let missed = 0
  return {
    fail(error, demands) {
      if (demands.some(({ cost }) => cost > 0)) missed++
      if (isAway) listener.onMissed?.()
      else report(listener, asStoreError(error, demands), log)
      isAway = true
    },
    end() {
      if (!isAway) return
      listener.onBack?.(missed)
      isAway = false
      missed = 0
    },
  }
}

/**
 * Throws a `StoreError` unless a store answered with one grant per demand. A custom store may
 * return anything, and a value that is not a number would let every request pass.
 */
export function assertGrants(grants: readonly Grant[], length: number): void {
  // The copy has no holes, which `every` would skip.
  if (Array.isArray(grants) && grants.length === length && [...grants].every(isGrant)) return
  throw new StoreError('rejected', 'the store must return one grant per demand')
}

const isGrant = (grant: Partial<Grant> | null | undefined) =>
  Number.isFinite(grant?.granted) &&
  Number.isFinite(grant?.used) &&
  Number.isFinite(grant?.resetIn) &&
  Number.isFinite(grant?.retryIn)

function report(listener: OutageListener, error: StoreError, log: Log): void {
  new Promise((resolve) => resolve(listener.onAway(error))).catch((cause: unknown) =>
    log(`onStoreError threw an error: ${redactedMessage(cause)}`),
  )
}

/** A store of somebody else's may throw anything; an outage it is all the same. */
function asStoreError(error: unknown, demands: readonly Demand[]): StoreError {
  if (error instanceof StoreError) return error
  const clients = demands.map(({ client }) => client)
  const said = redactedMessage(error, clients, true)
  return new StoreError('unreachable', `the store failed: ${said}`, { cause: new Error(said) })
}
