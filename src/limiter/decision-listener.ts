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
  }
  /** The label of the store, from the moment it is called. */
  store?: string | undefined
  /** The policy that refused the request without a count. */
  refusedBy?: {
    readonly policy: string
    readonly cost: number
    readonly source: 'unknown' | 'cost'
  }
}

/** Calls in the background that wait for the next event of their listener and store. */
const MAX_BACKGROUND = 100

const NONE: readonly StoreCall[] = []

interface EndedCall {
  readonly store: string | undefined
  readonly call: StoreCall
}

/** By listener, because a limiter that is made for each request has no next event. */
const endedCalls = new WeakMap<object, EndedCall[]>()

/** The oldest calls make room: those of a store that is no longer used would stay for ever. */
function keepEnded(listener: object, ended: EndedCall): void {
  const waiting = endedCalls.get(listener)
  if (waiting === undefined) endedCalls.set(listener, [ended])
  else if (waiting.push(ended) > MAX_BACKGROUND) waiting.shift()
}

/** Returns the calls to this store, and forgets them. */
function takeEnded(listener: object, store: string | undefined): readonly StoreCall[] {
  const waiting = endedCalls.get(listener)
  if (waiting === undefined) return NONE
  const others = waiting.filter((ended) => ended.store !== store)
  if (others.length === 0) endedCalls.delete(listener)
  else endedCalls.set(listener, others)
  return waiting.filter((ended) => ended.store === store).map(({ call }) => call)
}

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
          else keepEnded(notify, { store: trail.store, call: ended })
        }
      },
    }
    const decision = await count(request, context, trail)
    const took = stopwatch() - start
    const { counted, refusedBy, store } = trail
    let outcomes: PolicyOutcome[] = []
    if (counted) {
      const names = clients && namesOf(counted.demands, clients)
      outcomes = outcomesOf(
        counted.demands,
        counted.grants,
        names instanceof Promise ? await names : names,
      )
    }
    if (refusedBy) outcomes.push({ ...refusedBy, refused: true })
    const background = counted ? takeEnded(notify, store) : NONE
    // The listener may change its event, but not the decision. The receipt names the client.
    const policies = decision.policies.map((state) => ({ ...state }))
    const policy = decision.policy && { ...decision.policy }
    const shown = { ...decision, receipt: undefined, policies, policy }
    report({ ...shown, outcomes, took, store, call, background }, context ?? {})
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
