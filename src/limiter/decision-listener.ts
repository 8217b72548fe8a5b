import { hashedName } from '../client/client.ts'
import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { CallWatch, StoreCall } from '../stores/store-call.ts'
import type { Decision, TOO_EXPENSIVE, UNIDENTIFIED } from './decision.ts'
import { type DecisionEvent, type DecisionHost, outcomesOf } from './decision-event.ts'

/** Who listens to decisions, and how they are measured. */
export interface DecisionListener<Env extends object> {
  readonly notify: (event: DecisionEvent, host: DecisionHost<Env>) => unknown
  readonly clients: 'hashed' | 'plain' | undefined
  /** Measures how long checks and calls take. */
  readonly stopwatch: Clock
  readonly clock: Clock
}

/** What a check leaves behind for its event. */
export interface DecisionTrail extends CallWatch {
  /** Missing, like the grants, if no policy counted the request. */
  demands?: readonly Demand[]
  grants?: readonly Grant[]
  /** The label of the store. */
  store?: string | undefined
  /** The policy that refused the request without a count. */
  refusedBy?: {
    readonly policy: string
    readonly cost: number
    readonly source: 'unknown' | 'cost'
  }
}

/** Returns a decision without a count, by which a policy refuses, and notes it for the event. */
export function refusedBy(
  decision: typeof UNIDENTIFIED | typeof TOO_EXPENSIVE,
  policy: string,
  cost: number,
  trail: DecisionTrail | undefined,
): Decision {
  if (trail) trail.refusedBy = { policy, cost, source: decision.source }
  return decision
}

const NONE: readonly StoreCall[] = []

const nameOf = (client: string, clients: 'hashed' | 'plain') =>
  clients === 'plain' ? client : hashedName(client)

/** Wraps `count`, so that each decision is reported before it is returned. */
export function reportDecisions<Incoming, Env extends object, Context extends DecisionHost<Env>>(
  count: (request: Incoming, context?: Context, trail?: DecisionTrail) => Promise<Decision>,
  { notify, clients, stopwatch, clock }: DecisionListener<Env>,
): (request: Incoming, context?: Context) => Promise<Decision> {
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)

  /** The listener's errors do not reach the request. */
  function logError(error: unknown): void {
    try {
      log(`onDecision threw an error: ${error}`)
    } catch {
      // A value may throw when it is converted.
      log('onDecision threw an error that cannot be shown')
    }
  }

  return async (request, context) => {
    const start = stopwatch()
    let call: StoreCall | undefined
    const trail: DecisionTrail = {
      background: NONE,
      begin(operation) {
        const sent = stopwatch()
        return (error, ahead) => {
          const ended = { operation, took: stopwatch() - sent, error, ahead }
          if (operation === 'take') call = ended
          return ended
        }
      },
    }
    const decision = await count(request, context, trail)
    const took = stopwatch() - start
    const { demands = [], grants = [], refusedBy, store, background } = trail
    const names = clients && demands.map(({ client }) => nameOf(client, clients))
    const outcomes = outcomesOf(demands, grants, names && (await Promise.all(names)))
    if (refusedBy) outcomes.push({ ...refusedBy, refused: true })
    // The receipt names the client.
    const shown = { ...decision, receipt: undefined }
    const { env, waitUntil } = context ?? {}
    try {
      const work = notify({ ...shown, outcomes, took, store, call, background }, { env, waitUntil })
      if (work) {
        const done = Promise.resolve(work).catch(logError)
        waitUntil?.(done)
      }
    } catch (error) {
      logError(error)
    }
    return decision
  }
}
