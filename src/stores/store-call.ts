import type { StoreErrorCode } from '../errors.ts'

/**
 * Why a store is called: for a request (`'take'`), or in the background to take units ahead
 * (`'refill'`), to find out whether a store that was away is back (`'probe'`), or to charge and heal
 * keys after an outage (`'mend'`).
 */
export type StoreOperation = 'take' | 'refill' | 'probe' | 'mend'

/** A call to a store that has ended. */
export interface StoreCall {
  readonly operation: StoreOperation
  /** In ms, from the moment it was sent to its answer, or to the end of the limiter's `timeout`. */
  readonly took: number
  /** Why it failed; `undefined` if it was answered. */
  readonly error: StoreErrorCode | undefined
  /** Units that it has taken ahead, for a lease. */
  readonly ahead: number
}

/** Watches calls to a store, for the event of one request. */
export interface CallWatch {
  /** Called when a call is sent. The function that it returns is called when the call has ended. */
  begin(operation: StoreOperation): (error: StoreErrorCode | undefined, ahead: number) => StoreCall
  /** The calls in the background that have ended since the last request that was watched. */
  background: readonly StoreCall[]
}
