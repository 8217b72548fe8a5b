import { hashedName } from '../client/client.ts'
import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { CallWatch, StoreCall } from '../stores/store-call.ts'
import type { Decision } from './decision.ts'
import {
  type DecisionEvent,
  type DecisionHost,
  outcomesOf,
  type PolicyOutcome,
} from './decision-event.ts'

/** Who listens to decisions, and how they are measured. */
export interface DecisionListener<Env extends object> {
  readonly notify: (event: DecisionEvent, host: DecisionHost<Env>) => unknown
  readonly clients: 'hashed' | 'plain' | undefined
  /** Measures how long checks and calls take. */
  readonly stopwatch: Clock
  readonly clock: Clock
}

/** What a check leaves behind for its event. */
export interface DecisionTrail {
  readonly watch: CallWatch
  /** Missing if no policy counted the request. */
  counted?: {
    readonly demands: readonly Demand[]
    readonly grants: readonly Grant[]
    readonly store: string | undefined
  }
  /** The policy that refused the request without a count. */
  refusedBy?: {
    readonly policy: string
    readonly cost: number
    readonly source: 'unknown' | 'cost'
  }
}

/** Calls in the background that wait for the next event. */
const MAX_BACKGROUND = 100

const NONE: readonly StoreCall[] = []

/** The names of clients in an event. A promise only for hashes. */
const namesOf = (demands: readonly Demand[], clients: 'hashed' | 'plain') =>
  clients === 'plain'
    ? demands.map(({ client }) => client)
    : Promise.all(demands.map(({ client }) => hashedName(client)))

/** Wraps `count`, so that each decision is reported before it is returned. */
export function reportDecisions<Incoming, Env extends object, Context extends DecisionHost<Env>>(
  count: (request: Incoming, context?: Context, trail?: DecisionTrail) => Promise<Decision>,
  { notify, clients, stopwatch, clock }: DecisionListener<Env>,
): (request: Incoming, context?: Context) => Promise<Decision> {
  const log = quietLog((line) => console.error(`tidegate: ${line}`), clock)
  const logError = (error: unknown) => log(`onDecision threw an error: ${textOf(error)}`)
  let background: StoreCall[] = []

  /** The listener's errors do not reach the request. */
  function report(event: DecisionEvent, { env, waitUntil }: DecisionHost<Env>): void {
    try {
      const work = notify(event, { env, waitUntil })
      if (typeof work !== 'object' || work === null || !('then' in work)) return
      const done = Promise.resolve(work).catch(logError)
      waitUntil?.(done)
    } catch (error) {
      logError(error)
    }
  }

  return async (request, context) => {
    const start = stopwatch()
    let call: StoreCall | undefined
    const trail: DecisionTrail = {
      watch(operation) {
        const sent = stopwatch()
        return (error, ahead) => {
          const ended = { operation, took: stopwatch() - sent, error, ahead }
          if (operation === 'take') call = ended
          else if (background.length < MAX_BACKGROUND) background.push(ended)
        }
      },
    }
    const decision = await count(request, context, trail)
    const took = stopwatch() - start
    const { counted, refusedBy } = trail
    let outcomes: PolicyOutcome[] = []
    let ended = NONE
    if (counted) {
      const names = clients && namesOf(counted.demands, clients)
      outcomes = outcomesOf(
        counted.demands,
        counted.grants,
        names instanceof Promise ? await names : names,
      )
      // Only here: without `store`, nobody could tell which store the calls reached.
      if (background.length > 0) {
        ended = background
        background = []
      }
    }
    if (refusedBy) outcomes.push({ ...refusedBy, refused: true })
    const store = counted?.store
    // The listener may change its event, but not the decision.
    const policies = decision.policies.map((state) => ({ ...state }))
    const policy = decision.policy && { ...decision.policy }
    report(
      { ...decision, policies, policy, outcomes, took, store, call, background: ended },
      context ?? {},
    )
    return decision
  }
}

/** The words of an error of the application. A value may throw when it is converted. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'a value that cannot be shown'
  }
}
