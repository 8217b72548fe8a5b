import type { Clock } from '../clock.ts'
import { SETTLE, TAKE_SETTLING } from '../settling/redis-scripts.ts'
import type { RedisCommands } from '../stores/redis-protocol/redis-commands.ts'
import { RESET, type ScriptForms } from '../stores/redis-protocol/script.ts'
import type { Life } from './life.ts'
import { settlingModel } from './settling-model.ts'

/**
 * What Redis does with the commands that Tidegate sends, at once and by a clock that is given. The
 * scripts are those of ../stores/redis-protocol by their meaning; tests/node/redis-model.test.ts
 * holds them equal.
 */
export interface RedisModel {
  /** A client whose commands take no time. */
  readonly client: RedisCommands
  /** Commands as Upstash bills them: each, and each inside a script. */
  readonly billed: () => number
  /** The life that a key is in now. */
  life(key: string): Life | undefined
  /** The keys that there are now. */
  keys(): string[]
  /** Forgets a key, as an eviction does. */
  evict(key: string): void
}

export function redisModel(clock: Clock): RedisModel {
  const lives = new Map<string, Life>()
  let billed = 0

  function life(key: string): Life | undefined {
    const found = lives.get(key)
    if (found?.endsAt === undefined || clock() <= found.endsAt) return found
    lives.delete(key)
    return undefined
  }

  function incrby(key: string, units: number): number {
    billed++
    const found = life(key) ?? { count: 0, endsAt: undefined }
    lives.set(key, found)
    found.count += units
    return found.count
  }

  function script(keys: readonly string[], args: readonly string[]): number[][] {
    const now = clock()
    billed++
    const demands = keys.map((key, index) => {
      const numbers = args.slice(7 * index).map(Number)
      const [limit = 0, window = 0, cost = 0, reserve = 0, units = 0, age = 0, rest = 0] = numbers
      const found = life(key)
      // A single demand is counted at once. A read, and several demands, are not.
      const taken = keys.length === 1 && units === 0 ? cost + reserve : 0
      // A count cannot distinguish a missing key from a key that was set back to 0.
      const open = found?.count === 0 ? undefined : found
      billed++
      if (open) {
        billed++
        if (open.endsAt === undefined || open.endsAt - now > window) {
          billed++
          open.endsAt = now + window
        }
      }
      const before = Math.min(open?.count ?? 0, limit)
      const left = open?.endsAt === undefined ? 0 : open.endsAt - now
      const owed = open && window - left < age ? 0 : Math.min(units, limit - before)
      const used = before + owed
      return {
        key,
        limit,
        window,
        owed,
        rest,
        most: cost + reserve,
        taken,
        open,
        used,
        left,
        fits: used + cost <= limit,
      }
    })
    const granting = demands.every(({ fits }) => fits)
    return demands.map((demand) => {
      const { key, limit, owed, rest, most, taken, open, used, left, fits } = demand
      const granted = granting ? Math.min(most, limit - used) : 0
      const charged = granted + owed
      let resetIn = open ? Math.max(1, left) : 0
      if (open) {
        if (charged !== taken) billed++
        open.count += charged
      } else if (charged > 0) {
        billed++
        lives.set(key, { count: charged, endsAt: now + rest })
        resetIn = rest
      }
      const retryIn = (open ? left : rest) + 1
      return [granted, Math.max(0, used + granted), resetIn, fits ? 0 : retryIn]
    })
  }

  const evict = (key: string) => void lives.delete(key)
  const settling = settlingModel({
    clock,
    life,
    evict,
    take: script,
    bill(commands) {
      billed += commands
    },
  })

  /** Runs the script with this text or hash; by default that of `take`. */
  function run(which: string, keys: readonly string[], args: readonly string[]): unknown {
    const is = ({ plain, locking }: ScriptForms) =>
      [plain, locking].some(({ text, sha }) => which === text || which === sha)
    if (is(TAKE_SETTLING)) return settling.take(keys, args)
    if (is(SETTLE)) return settling.settle(keys, args)
    return which === RESET ? settling.reset(keys) : script(keys, args)
  }

  return {
    client: {
      evalsha: async (sha, keys, args) => run(sha, keys, args),
      eval: async (text, keys, args) => run(text, keys, args),
      incrby: async (key, units) => incrby(key, units),
    },
    billed: () => billed,
    life,
    keys: () => [...lives.keys()].filter((key) => life(key) !== undefined),
    evict,
  }
}
