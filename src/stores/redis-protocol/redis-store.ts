import { type Clock, systemClock } from '../../clock.ts'
import { StoreError } from '../../errors.ts'
import { guard } from '../../isolate/guard.ts'
import { recent } from '../../isolate/lru.ts'
import { learn, open, resetIn, type Sight } from '../../isolate/observed-window.ts'
import { keyOf, taggedKeyOf } from '../key.ts'
import type { Demand, Grant, Store, TakeOptions } from '../store.ts'
import { type ScriptClient, scriptRunner } from './redis-commands.ts'
import { redisError } from './redis-error.ts'

/** What distinguishes the stores that run the script. */
export interface ScriptedStoreOptions {
  /** How errors call the store. */
  readonly name: string
  readonly prefix: string
  /** Measures how long ago an answer came, never what time it is. */
  readonly clock?: Clock | undefined
  /**
   * Whether the keys of one call must share a slot of a cluster.
   * @default false
   */
  readonly cluster?: boolean
  /**
   * Whether scripts have the header with which Upstash locks only their own keys.
   * @default false
   */
  readonly keyLocking?: boolean
}

/**
 * In ms. One because a key expires in the millisecond after the one that its `PTTL` names, one
 * because this isolate's clock counts whole milliseconds.
 */
const LATER = 2

/** In ms. Healing that nobody waits for ends then. */
const HEALING = 10_000

/**
 * A store that asks Redis through a client, in one trip. The script answers any call; a demand for
 * one unit in a window that this isolate has seen open is one INCRBY (docs/exactness.md).
 */
export function scriptedStore(client: ScriptClient, settings: ScriptedStoreOptions): Store {
  const { name, prefix, cluster = false, keyLocking = false, clock = systemClock } = settings
  const toKey = cluster ? taggedKeyOf : keyOf
  const sights = recent<Sight>()
  const run = scriptRunner(client, keyLocking)

  /** All demands at once, by the script. */
  async function evaluate(
    demands: readonly Demand[],
    keys: readonly string[],
    options?: TakeOptions,
  ): Promise<readonly Grant[]> {
    const asked = keys.map((key) => sights.get(key))
    const since = clock()
    const args = demands.flatMap(({ limit, window, cost, reserve = 0 }) =>
      [limit, window, cost, reserve].map(String),
    )
    const grants = readGrants(demands, await run([...keys], args, options))
    const now = clock()
    for (const [index, key] of keys.entries()) {
      const grant = grants[index]
      const sight = grant && learn(sights.get(key), asked[index], grant, since, now)
      if (sight) sights.set(key, sight)
      else sights.delete(key)
    }
    return grants
  }

  /**
   * One demand whose window was seen open, by a plain count: units beyond the limit are counted and
   * not granted, which nobody can tell from a count that stands at the limit. An answer below what
   * was seen is that of a key which began anew and has no expiry yet, and one that comes after the
   * window's end may be: the script then looks, and heals.
   */
  async function increment(demand: Demand, key: string, seen: Sight, options?: TakeOptions) {
    const { limit, cost } = demand
    // As far as is known no more than is left, so that little is counted which is not granted.
    const reserve = Math.min(demand.reserve ?? 0, limit - seen.used - cost)
    const since = clock()
    let count: number
    try {
      count = readCount(await client.incrby(key, cost + reserve, options))
    } catch (error) {
      sights.delete(key)
      // It may yet arrive when the window has ended, and make a key that nobody heard of.
      healLater(demand, key, options)
      throw error
    }
    const now = clock()
    const before = count - cost - reserve
    const left = Math.max(0, limit - before)
    const fits = left >= cost
    if (before >= seen.used && open(seen, now)) {
      const grant = {
        granted: fits ? Math.min(left, cost + reserve) : 0,
        used: Math.min(count, limit),
        resetIn: resetIn(seen, now),
        retryIn: fits ? 0 : resetIn(seen, now) + LATER,
        openFor: seen.until - since,
      }
      const sight = learn(sights.get(key), seen, grant, since, now)
      if (sight) sights.set(key, sight)
      return [grant]
    }
    sights.delete(key)
    try {
      if (!fits) return await evaluate([demand], [key], options)
      const [looked] = await look(demand, key, options)
      // The reserve is given up: by now its window may have ended, and another one be open.
      return looked ? [{ ...looked, granted: cost }] : []
    } catch (error) {
      healLater(demand, key, options)
      throw error
    }
  }

  /** Heals a key behind the request's back, where the host lets it. */
  function healLater(demand: Demand, key: string, options?: TakeOptions): void {
    if (options?.waitUntil === undefined) return
    const healing = look(demand, key, { signal: AbortSignal.timeout(HEALING) })
    options.waitUntil(healing.catch(() => {}))
  }

  /** Takes nothing, and heals a key that cannot end. */
  const look = (demand: Demand, key: string, options?: TakeOptions) =>
    evaluate([{ ...demand, cost: 0, reserve: 0 }], [key], options)

  return {
    guard,
    oneClient: cluster,
    async take(demands, options) {
      const [first] = demands
      if (first === undefined) return []
      if (cluster && demands.some(({ client }) => client !== first.client)) {
        throw new StoreError('rejected', `${name}: one call cannot count different clients`)
      }
      const keys = demands.map((demand) => toKey(prefix, demand))
      const [key = ''] = keys
      const seen = demands.length === 1 ? sights.get(key) : undefined
      try {
        return seen && isPlain(first, seen, clock())
          ? await increment(first, key, seen, options)
          : await evaluate(demands, keys, options)
      } catch (error) {
        throw redisError(name, error, options?.signal)
      }
    },
  }
}

/**
 * Whether a plain count will do: of one unit (a larger cost could be refused, and would have been
 * charged), not yet seen refused, in a window that is open and no longer than the policy's.
 */
function isPlain({ cost, reserve = 0, limit, window }: Demand, seen: Sight, now: number): boolean {
  return (
    cost <= 1 &&
    cost + reserve > 0 &&
    seen.used > 0 &&
    seen.used < limit &&
    open(seen, now) !== undefined &&
    seen.until - now <= window
  )
}

function readGrants(demands: readonly Demand[], answer: unknown): readonly Grant[] {
  const numbers = Array.isArray(answer) ? answer.map(Number) : []
  if (numbers.length !== 4 * demands.length || !numbers.every(Number.isInteger)) {
    throw new StoreError('unreachable', 'the answer is not that of the script')
  }
  return demands.map((_, index) => {
    const [granted = 0, used = 0, resetIn = 0, retryIn = 0] = numbers.slice(4 * index)
    return { granted, used, resetIn, retryIn }
  })
}

function readCount(answer: unknown): number {
  const count = Number(answer)
  if (Number.isInteger(count)) return count
  throw new StoreError('unreachable', 'the answer is no count')
}
