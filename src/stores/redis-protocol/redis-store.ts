import { StoreError } from '../../errors.ts'
import { guard } from '../../isolate/guard.ts'
import { keyOf, settlementsOf } from '../key.ts'
import type { Demand, Grant, Observed, Store, TakeOptions } from '../store.ts'
import type { RedisAccess } from '../store-access.ts'
import { type RedisCommands, scriptRunner } from './redis-commands.ts'
import { redisError } from './redis-error.ts'
import { RESET, TAKE } from './script.ts'

/** The settings of a store that runs the script. */
export interface RedisStoreSettings {
  /** The name of the store in errors. */
  readonly name: string
  /** Where the server is, for logs. */
  readonly host?: string | undefined
  /** The store's `identity`. */
  readonly identity?: string | object | undefined
  readonly prefix: string
  /** @default keyOf */
  readonly toKey?: typeof keyOf
  /**
   * Whether scripts have the header with which Upstash locks only their own keys.
   * @default false
   */
  readonly keyLocking?: boolean
}

/**
 * A store that counts in Redis through a client, usually in one trip, and in two if the window may
 * have ended. The script answers any call. If the caller has observed the open window, a demand for
 * one unit is one INCRBY (docs/exactness.md). Keeps nothing about keys, and reads no clock.
 */
export function redisStore(client: RedisCommands, settings: RedisStoreSettings): Store {
  const { name, host, identity, prefix, toKey = keyOf, keyLocking = false } = settings
  const take = scriptRunner(client, TAKE, keyLocking)

  /** Takes all demands at once, by the script. */
  async function evaluate(
    demands: readonly Demand[],
    keys: string[],
    options: TakeOptions | undefined,
  ): Promise<readonly Grant[]> {
    return readGrants(demands, await take(keys, argumentsOf(demands), options))
  }

  /** Runs a call about these items. Its errors name neither their keys nor their clients. */
  const call: RedisAccess['call'] = async (items, options, run) => {
    const keys = items.map((item) => toKey(prefix, item))
    try {
      return await run(keys)
    } catch (error) {
      const clients = items.map(({ client }) => client)
      throw redisError(name, error, [...keys, ...clients], options?.signal)
    }
  }

  /**
   * Takes one demand in an observed window by a plain count. Units beyond the limit are counted but
   * not granted; grants do not show them. If the count was lower than observed, or if the answer
   * arrives after the window's end, the key may be new and without expiry. The script then looks at
   * the key, and sets its expiry. If there is no answer, the guard has the key healed later.
   */
  async function increment(
    demand: Demand,
    keys: string[],
    observed: Observed,
    options: TakeOptions | undefined,
  ): Promise<readonly Grant[]> {
    const { limit, cost } = demand
    const [key = ''] = keys
    // At most the units that seem to be left: units beyond the limit would be counted but not
    // granted.
    const reserve = Math.min(demand.reserve ?? 0, limit - observed.used - cost)
    const count = readCount(await client.incrby(key, cost + reserve, options))
    const before = count - cost - reserve
    const left = Math.max(0, limit - before)
    const fits = left >= cost
    if (before >= observed.used && observed.isOpen()) {
      const granted = fits ? Math.min(left, cost + reserve) : 0
      const used = Math.min(count, limit)
      return [{ granted, used, resetIn: 0, retryIn: 0, window: 'observed' }]
    }
    // Without a cost the script takes nothing, and sets the expiry of a key that has none.
    const next = fits ? { ...demand, cost: 0, reserve: 0 } : demand
    const grants = await evaluate([next], keys, options)
    // The reserve is given up: by now its window may have ended, and another one be open.
    return grants.map((grant) => ({
      ...grant,
      granted: fits ? cost : grant.granted,
      window: 'new',
    }))
  }

  const access: RedisAccess = {
    kind: 'redis',
    runner: (forms) => scriptRunner(client, forms, keyLocking),
    call,
  }

  return {
    guard,
    label: host === undefined ? name : `${name} at ${host}`,
    identity,
    async take(demands, options) {
      const [first] = demands
      if (first === undefined) return []
      const observed = demands.length === 1 ? options?.observed : undefined
      return call(demands, options, (keys) =>
        observed && isPlain(first, observed)
          ? increment(first, keys, observed, options)
          : evaluate(demands, keys, options),
      )
    },
    async reset(counted, options) {
      const all = counted.flatMap((key) => [key, settlementsOf(key)])
      await call(all, options, (keys) => client.eval(RESET, keys, [], options))
    },
    access,
  }
}

/**
 * Whether INCRBY alone can decide: the cost is at most 1 (a larger cost that does not fit would
 * have been charged), nothing is owed, and the window is known to be neither empty nor used up.
 */
const isPlain = (
  { cost, reserve = 0, owed, limit, settling }: Demand,
  { used }: Observed,
): boolean => cost <= 1 && cost + reserve > 0 && !owed && !settling && used > 0 && used < limit

/** The arguments of the script. */
export const argumentsOf = (demands: readonly Demand[]): string[] =>
  demands.flatMap(({ limit, window, cost, reserve = 0, owed }) => {
    const { units, age, rest } = owed ?? { units: 0, age: 0, rest: window }
    return [limit, window, cost, reserve, units, age, rest].map(String)
  })

/** The grants in the answer of the script. */
export function readGrants(demands: readonly Demand[], answer: unknown): readonly Grant[] {
  const numbers = [answer].flat(2).map(toInteger)
  if (numbers.length !== 4 * demands.length || !numbers.every(Number.isInteger)) {
    throw new StoreError('unreachable', 'the script returned an unexpected answer')
  }
  return demands.map((_, index) => {
    const [granted = 0, used = 0, resetIn = 0, retryIn = 0] = numbers.slice(4 * index)
    return { granted, used, resetIn, retryIn }
  })
}

function readCount(answer: unknown): number {
  const count = toInteger(answer)
  if (Number.isInteger(count)) return count
  throw new StoreError('unreachable', 'INCRBY returned no number')
}

/**
 * NaN unless a client returned a whole number or its digits. `Number` reads null, '' and [] as 0.
 */
export const toInteger = (value: unknown): number =>
  typeof value !== 'object' && /^-?\d+$/.test(String(value)) ? Number(value) : Number.NaN
