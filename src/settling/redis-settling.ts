import { StoreError } from '../errors.ts'
import { settledPolicy } from '../stores/key.ts'
import { argumentsOf, readGrants, toInteger } from '../stores/redis-protocol/redis-store.ts'
import type { CountedKey, Store } from '../stores/store.ts'
import type { RedisAccess } from '../stores/store-access.ts'
import { SETTLE, TAKE_SETTLING } from './redis-scripts.ts'

/** Adds settlements to a store over Redis. */
export function redisSettling(
  store: Store,
  { toKey, runner, errorOf }: RedisAccess,
): Pick<Store, 'take' | 'settle'> {
  const takeSettling = runner(TAKE_SETTLING)
  const settle = runner(SETTLE)
  const toHash = ({ policy, client }: CountedKey) =>
    toKey({ policy: settledPolicy(policy), client })

  return {
    async take(demands, options) {
      if (!demands.some(({ settling }) => settling)) return store.take(demands, options)
      const keys = [...demands.map(toKey), ...demands.map(toHash)]
      const names = demands.map(({ settling = '' }) => settling)
      try {
        const answer = await takeSettling(keys, [...names, ...argumentsOf(demands)], options)
        const grants = 4 * demands.length
        const accounts = Array.isArray(answer) ? answer.slice(grants) : []
        return readGrants(demands, Array.isArray(answer) && answer.slice(0, grants)).map(
          (grant, index) =>
            demands[index]?.settling ? { ...grant, ...readAccount(accounts, index) } : grant,
        )
      } catch (error) {
        throw errorOf(error, demands, keys, options)
      }
    },

    async settle(settlements, options) {
      const keys = settlements.flatMap((settlement) => [toKey(settlement), toHash(settlement)])
      const args = settlements.flatMap(({ windowName, id, reserved, used }) => [
        windowName,
        id,
        `${reserved}`,
        `${used}`,
      ])
      try {
        const answer = await settle(keys, args, options)
        if (Array.isArray(answer) && answer.length === settlements.length) {
          return answer.map((changed) => toInteger(changed) === 1)
        }
        throw new StoreError('unreachable', 'the script returned an unexpected answer')
      } catch (error) {
        throw errorOf(error, settlements, keys, options)
      }
    },
  }
}

/** The account that follows the grants of a script. */
function readAccount(accounts: readonly unknown[], index: number) {
  const [name, settled] = accounts.slice(2 * index)
  return {
    ...(typeof name === 'string' && name !== '' && { windowName: name }),
    settled: toInteger(settled) || 0,
  }
}
