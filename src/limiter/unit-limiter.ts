import { assertKeys } from '../checks.ts'
import { type Identity, storedName } from '../client/client.ts'
import { assertCost } from '../policy/policy.ts'
import type { Demand } from '../stores/store.ts'
import { rejectClient } from './arguments.ts'
import type { UnitsOptions } from './check-context.ts'
import { type Decision, decide, TOO_EXPENSIVE } from './decision.ts'
import { type DecisionTrail, reportDecisions } from './decision-listener.ts'
import type { CompiledOptions } from './options.ts'

/** What a limiter does with clients, without a request. */
export interface UnitLimiter<Env extends object = object> {
  /**
   * Counts units of a client without a request, in all policies of the limiter: for server actions,
   * queues, messages of a WebSocket. `client`, `match`, `methods` and `cost` of the policies are not
   * used. A store that fails makes the decision `degraded`. Throws a `ConfigError` for a client or a
   * cost that cannot be.
   * @param client a text, of which only the hash reaches the store, or `{ plain }`
   * @example
   * const { allowed } = await limiter.take(user.id, { cost: 3 })
   */
  take(client: Identity, options?: UnitsOptions<Env>): Promise<Decision>
}

/** Returns the limiter of clients with these options. */
export function unitLimiter<Env extends object, Incoming extends Request, Host extends object>(
  compiled: CompiledOptions<Env, Incoming, Host>,
): UnitLimiter<Env> {
  const { policies, openStore, listener } = compiled

  /** Takes units of a client from all policies. */
  async function countUnits(
    client: Identity,
    options: UnitsOptions<Env> = {},
    trail?: DecisionTrail,
  ): Promise<Decision> {
    assertKeys('take', options, ['cost', 'env', 'waitUntil'])
    const { cost = 1, env, waitUntil } = options
    assertCost('take.cost', cost)
    const name = await storedName(client)
    if (name === undefined) rejectClient(client)
    const demands = policies.map(
      ({ name: policy, limit, window }): Demand => ({ policy, client: name, limit, window, cost }),
    )
    for (const { policy, limit } of demands) {
      if (cost <= limit) continue
      if (trail) trail.refusedBy = { policy, cost, source: 'cost' }
      return TOO_EXPENSIVE
    }
    const store = openStore(env, demands)
    if (trail) trail.store = store.label
    const grants = await store.take(demands, { waitUntil, watch: trail?.watch })
    if (trail) trail.counted = { demands, grants }
    return decide(policies, demands, grants)
  }

  return { take: listener ? reportDecisions(countUnits, listener) : countUnits }
}
