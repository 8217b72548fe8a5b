import type { Clock } from '../clock.ts'
import { StoreError } from '../errors.ts'
import type { Log } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import { memory } from '../stores/memory.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { OutageListener } from './outage-log.ts'

/**
 * What an isolate does while its store is away. An outage lasts from the first failure to the next
 * answer.
 */
export interface Fallback {
  /** Notes that the store has answered. */
  endOutage(): void
  /** Notes that the store has failed, and counts in this isolate in its place. */
  take(demands: readonly Demand[], error: unknown): Promise<readonly Grant[]>
}

export function fallback(clock: Clock, listener: OutageListener, log: Log): Fallback {
  const local = memory({ clock })
  /** Calls counted locally in this outage, refills included. */
  let missed = 0
  return {
    endOutage() {
      if (missed > 0) listener.onBack?.(missed)
      missed = 0
    },
    async take(demands, error) {
      missed++
      if (missed === 1) report(listener, asStoreError(error, demands), log)
      else listener.onMissed?.()
      const grants = await local.take(demands)
      return grants.map((grant) => ({ ...grant, source: 'local' }))
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
