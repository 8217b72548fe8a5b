import type { Clock } from '../clock.ts'
import { StoreError } from '../errors.ts'
import type { Log } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import type { CountedKey } from '../stores/store.ts'
import type { StoreEvent } from '../stores/store-event.ts'

/** Receives the events of a store. */
export interface StoreListener {
  /** Errors that it throws are logged and do not reach the request. */
  readonly notify: (event: StoreEvent) => unknown
  /** The store is still away: a further request was decided here. */
  readonly stillAway?: () => void
}

/** Reports an outage, from the opening of the breaker to its closing, to the limiters affected. */
export interface Outage {
  /** The store is away, because of `error`. Returns whether the listener was notified. */
  begin(listener: StoreListener, error: StoreError): boolean
  /** A call failed, and this has not been reported as the beginning of an outage. */
  fail(listener: StoreListener, error: StoreError): void
  /** A request was decided here, in an outage that has begun. */
  decide(): void
  /** @param owed units that the store has to be charged with */
  end(owed: () => number): void
}

/** How many limiters are notified of an outage. Bounded, since each request may make a limiter. */
const MAX_LISTENERS = 16

/** @param store the name of the store in events */
export function reportedOutage(store: string, clock: Clock, log: Log): Outage {
  const listeners = new Map<StoreListener['notify'], StoreListener>()
  let since: number | undefined
  /** Requests decided here in this outage. */
  let decided = 0

  function report({ notify }: StoreListener, event: StoreEvent): void {
    new Promise((resolve) => resolve(notify(event))).catch((cause: unknown) =>
      log(`onStoreEvent threw an error: ${redactedMessage(cause)}`),
    )
  }

  return {
    begin(listener, error) {
      since ??= clock()
      const isNew = !listeners.has(listener.notify)
      if (!isNew) listener.stillAway?.()
      else if (listeners.size < MAX_LISTENERS) {
        listeners.set(listener.notify, listener)
        report(listener, { type: 'away', store, error })
      }
      return isNew
    },
    fail: (listener, error) => report(listener, { type: 'failed', store, error }),
    decide: () => void decided++,
    end(owed) {
      if (since === undefined) return
      // A clock may have been set back.
      const lasted = Math.max(0, clock() - since)
      const event = { type: 'back', store, lasted, decided, owed: owed() } as const
      const notified = [...listeners.values()]
      since = undefined
      decided = 0
      listeners.clear()
      for (const listener of notified) report(listener, event)
    },
  }
}

/** A custom store may throw anything. Each error of a store is an error of its backend. */
export function asStoreError(error: unknown, demands: readonly CountedKey[]): StoreError {
  if (error instanceof StoreError) return error
  const clients = demands.map(({ client }) => client)
  const said = redactedMessage(error, clients, true)
  return new StoreError('unreachable', `the store failed: ${said}`, { cause: new Error(said) })
}

/** Whether the server has answered with an error, and so has counted nothing. */
export const isReply = ({ code }: StoreError): boolean =>
  code === 'rejected' || code === 'unauthorized'
