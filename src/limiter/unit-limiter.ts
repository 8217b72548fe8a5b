import { assertKeys } from '../checks.ts'
import { systemTimer } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import { parseTimeout } from '../policy/duration.ts'
import { keysOf, quotaFor } from '../policy/passed-quota.ts'
import { policyOf } from '../policy/policy-name.ts'
import { assertCost } from '../policy/units.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import type { CompiledOptions } from './compiled-options.ts'
import { type Decision, decide, TOO_EXPENSIVE } from './decision.ts'
import { refusedBy } from './decision-listener.ts'
import { settlementsOf } from './settlements-of.ts'
import { clientNames } from './unit-client.ts'
import type { CallOptions, UnitClient, Units, UnitsOptions, WaitOptions } from './units-options.ts'
import { waitingRoom } from './waiting-room.ts'

/**
 * What a limiter does with clients, without a request: in server actions, queues, messages of a
 * WebSocket. The options `client`, `match`, `methods`, `unknown` and `cost` of the policies are not
 * used. All methods throw a `ConfigError` for a wrong argument.
 */
export interface UnitLimiter<Env extends object = object> {
  /**
   * Counts units of a client in all policies of the limiter. A store that fails makes the decision
   * `degraded`.
   * @param client a text, of which only the hash reaches the store, `{ plain }`, or `{ clients }`
   * with one of both for each policy
   * @example
   * const { allowed } = await limiter.take(user.id, { cost: 3 })
   */
  take(client: UnitClient, options?: UnitsOptions<Env>): Promise<Decision>
  /**
   * Returns the decision that `take` would return, and counts nothing.
   * @example
   * const { policy } = await limiter.peek(user.id)
   */
  peek(client: UnitClient, options?: UnitsOptions<Env>): Promise<Decision>
  /**
   * Takes units as soon as there are enough. Returns the granted decision; or the refused one once
   * it is certain that there will not be enough within `max`, or that waiting does not help. The
   * callers of one client in one isolate wait in the order in which they came, and only the first of
   * them asks.
   * @example
   * const { allowed } = await limiter.wait('crawler', { max: '30s' })
   */
  wait(client: UnitClient, options: WaitOptions<Env>): Promise<Decision>
  /**
   * Forgets what a client has used in all policies of the limiter, and throws a `StoreError` if the
   * store fails. Another isolate that knows the client to be exhausted refuses it until the window
   * that it has seen ends.
   */
  reset(client: UnitClient, options?: CallOptions<Env>): Promise<void>
  /**
   * Corrects the counts of policies with `settle` to the units that were really used, in the window
   * in which the decision was made. Once: later calls for the same decision change nothing. Returns
   * whether the count was changed now. If the store fails, this isolate tries again with its next
   * check of such a policy.
   * @param decision a decision, or its `receipt`
   * @param units of every policy of the decision, or by the names of policies
   * @example
   * const decision = await limiter.take(user.id, { cost: 2_000 })
   * // …
   * await limiter.settle(decision, usage.totalTokens)
   */
  settle(decision: Decision | string, units: Units, options?: CallOptions<Env>): Promise<boolean>
}

const CALL_KEYS = ['env', 'waitUntil'] as const
const UNIT_KEYS = [...CALL_KEYS, 'cost', 'plan', 'limit'] as const

/** Returns the limiter of clients with these options. */
export function unitLimiter<Env extends object, Incoming extends Request, Host extends object>(
  compiled: CompiledOptions<Env, Incoming, Host>,
): UnitLimiter<Env> {
  const { policies, openStore, listener, clock, timer = systemTimer } = compiled
  const settles = policies.some(({ settle }) => settle)
  const waitInTurn = waitingRoom(clock, timer)

  /** The demands of a call, and the store that it asks. */
  async function prepare(
    method: string,
    client: UnitClient,
    options: UnitsOptions<Env>,
  ): Promise<{ readonly id: string; readonly demands: readonly Demand[]; readonly store: Store }> {
    const { cost = 1, env } = options
    assertCost(`${method}.cost`, cost)
    const names = await clientNames(method, client, policies)
    const id = settles ? crypto.randomUUID() : ''
    const demands = policies.map((policy, index): Demand => {
      const { name, limit, window } = quotaFor(policy, options, method)
      const settling = policy.settle && id
      return { policy: name, client: names[index] ?? '', limit, window, cost, settling }
    })
    const store = openStore(env, demands)
    if (store.oneClient && names.some((name) => name !== names[0])) {
      const want =
        'the same client for every policy, since this store counts each client separately'
      throw new ConfigError(`${method}.clients`, want)
    }
    return { id, demands, store }
  }

  async function take(client: UnitClient, options: UnitsOptions<Env> = {}): Promise<Decision> {
    assertKeys('take', options, UNIT_KEYS)
    const measured = listener?.(options)
    const { id, demands, store } = await prepare('take', client, options)
    const tooExpensive = demands.find(({ cost, limit }) => cost > limit)
    if (tooExpensive) {
      const { policy, cost } = tooExpensive
      return refusedBy(TOO_EXPENSIVE, policyOf(policy), cost, measured)
    }
    const { waitUntil } = options
    const grants = await store.take(demands, { waitUntil, watch: measured })
    const decided = decide(policies, demands, grants)
    const receipt = settles ? store.receipts?.of(id, demands, grants) : undefined
    const decision = receipt ? { ...decided, receipt } : decided
    return measured ? measured.end(decision, { demands, grants, store: store.label }) : decision
  }

  return {
    take,

    async peek(client, options = {}) {
      assertKeys('peek', options, UNIT_KEYS)
      const { demands, store } = await prepare('peek', client, options)
      if (demands.some(({ cost, limit }) => cost > limit)) return TOO_EXPENSIVE
      const looks = demands.map((demand) => ({ ...demand, cost: 0 }))
      const { waitUntil } = options
      const grants = await store.take(looks, { waitUntil })
      return decide(
        policies,
        demands,
        demands.map((demand, index) => seen(demand, grants[index])),
      )
    },

    async wait(client, options) {
      assertKeys('wait', options, [...UNIT_KEYS, 'max'])
      const { max, ...more } = options
      const names = await clientNames('wait', client, policies)
      const end = clock() + parseTimeout('wait.max', max)
      return waitInTurn(names.join('\n'), end, () => take(client, more))
    },

    async reset(client, options = {}) {
      assertKeys('reset', options, CALL_KEYS)
      const names = await clientNames('reset', client, policies)
      // Each plan may have a key of its own.
      const keys = policies.flatMap((policy, index) =>
        [...keysOf(policy)].map((key) => ({ policy: key, client: names[index] ?? '' })),
      )
      const store = openStore(options.env, [])
      if (store.reset === undefined) {
        throw new ConfigError('reset', 'a store that can reset keys', 'a store without `reset`')
      }
      await store.reset(keys)
    },

    async settle(decision, units, options = {}) {
      assertKeys('settle', options, CALL_KEYS)
      const settlements = settlementsOf(decision, units)
      if (settlements.length === 0) return false
      const store = openStore(options.env, [])
      if (store.settle === undefined) {
        throw new ConfigError('settle', 'settling(store) of "tidegate/settle"')
      }
      const work = store.settle(settlements).then((changed) => changed.some(Boolean))
      options.waitUntil?.(work.catch(() => {}))
      return work
    },
  }
}

/** The grant that a demand would get after a look at its count. */
function seen({ cost, limit }: Demand, grant: Grant | undefined): Grant {
  const { used = 0, resetIn = 0, source, unseen } = grant ?? {}
  const isOpen = source === 'open'
  if (grant && unseen && !isOpen) return grant
  const fits = isOpen || used + cost <= limit
  // The next window is certain to be open after two more milliseconds (`Grant.retryIn`).
  return { ...grant, used, resetIn, granted: fits ? cost : 0, retryIn: fits ? 0 : resetIn + 2 }
}
