import { hashedName } from '../client/client.ts'
import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { CallWatch, StoreCall } from '../stores/store-call.ts'
import type { Decision, TOO_EXPENSIVE, UNIDENTIFIED } from './decision.ts'
import {
  type DecisionEvent,
  type DecisionHost,
  outcomesOf,
  type PolicyOutcome,
} from './decision-event.ts'

/** How a decision came about; nothing if no policy counts the request. */
export interface DecisionCause {
  readonly demands?: readonly Demand[]
  readonly grants?: readonly Grant[]
  /** The label of the store. */
  readonly store?: string | undefined
  /** The policy that refused the request without a count. */
  readonly refusedBy?: PolicyOutcome
}

/** One check that is measured, for its event. */
export interface MeasuredCheck extends CallWatch {
  /** Reports the decision, and returns it. A promise only if the event has hashes. */
  end(decision: Decision, cause?: DecisionCause): Decision | Promise<Decision>
}

/** Begins to measure a check. */
export type DecisionListener<Env extends object> = (host: DecisionHost<Env>) => MeasuredCheck

const NONE: readonly never[] = []

/**
 * Returns the listener that reports each decision to `notify`, before it is returned.
 *
 * @param clients how events name clients; `undefined` if they do not
 * @param stopwatch measures how long checks and calls take
 */
export function decisionListener<Env extends object>(
  notify: (event: DecisionEvent, host: DecisionHost<Env>) => unknown,
  clients: 'hashed' | 'plain' | undefined,
  stopwatch: Clock,
  clock: Clock,
): DecisionListener<Env> {
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

  function report(event: DecisionEvent, { env, waitUntil }: DecisionHost<Env>): void {
    try {
      const work = notify(event, { env, waitUntil })
      if (!work) return
      const done = Promise.resolve(work).catch(logError)
      waitUntil?.(done)
    } catch (error) {
      logError(error)
    }
  }

  return (host) => {
    const start = stopwatch()
    let call: StoreCall | undefined
    const measured: MeasuredCheck = {
      background: NONE,
      begin(operation) {
        const sent = stopwatch()
        return (error, ahead) => {
          const ended = { operation, took: stopwatch() - sent, error, ahead }
          if (operation === 'take') call = ended
          return ended
        }
      },
      end(decision, { demands = NONE, grants = NONE, store, refusedBy } = {}) {
        const took = stopwatch() - start
        const { background } = measured
        // Not the whole decision: its receipt names the client.
        const { allowed, policies, policy, retryIn, degraded, source } = decision
        const finish = (names?: readonly string[]) => {
          const outcomes = refusedBy ? [refusedBy] : outcomesOf(demands, grants, names)
          const shown = { allowed, policies, policy, retryIn, degraded, source }
          report({ ...shown, outcomes, took, store, call, background }, host)
          return decision
        }
        if (clients === undefined) return finish()
        return Promise.all(
          demands.map(({ client }) => (clients === 'plain' ? client : hashedName(client))),
        ).then(finish)
      },
    }
    return measured
  }
}

/** Returns a decision without a count, by which a policy refuses, and reports it. */
export function refusedBy(
  decision: typeof UNIDENTIFIED | typeof TOO_EXPENSIVE,
  policy: string,
  cost: number,
  measured: MeasuredCheck | undefined,
): Decision | Promise<Decision> {
  if (!measured) return decision
  return measured.end(decision, {
    refusedBy: { policy, cost, source: decision.source, refused: true },
  })
}
