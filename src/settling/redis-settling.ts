import { StoreError } from '../errors.ts'
import { settlementsOf } from '../stores/key.ts'
import { argumentsOf, readGrants, toInteger } from '../stores/redis-protocol/redis-store.ts'
import type { Store } from '../stores/store.ts'
import type { RedisAccess } from '../stores/store-access.ts'
import { SETTLE, TAKE_SETTLING } from './redis-scripts.ts'

/** Adds settlements to a store over Redis. */
export function redisSettling(
  store: Store,
  { runner, call }: RedisAccess,
): Pick<Store, 'take' | 'settle'> {
  const takeSettling = runner(TAKE_SETTLING)
  const settle = runner(SETTLE)

  return {
    async take(demands, options) {
      if (!demands.some(({ settling }) => settling)) return store.take(demands, options)
      const names = demands.map(({ settling = '' }) => settling)
      const args = [...names, ...argumentsOf(demands)]
      return call([...demands, ...demands.map(settlementsOf)], options, async (keys) => {
        const answers = [await takeSettling(keys, args, options)].flat().map((one) => [one].flat())
        const grants = readGrants(
          demands,
          answers.map((answer) => answer.slice(0, 4)),
        )
        return grants.map((grant, index) =>
          demands[index]?.settling ? { ...grant, ...readAccount(answers[index]) } : grant,
        )
      })
    },

    async settle(settlements, options) {
      const items = settlements.flatMap((settlement) => [settlement, settlementsOf(settlement)])
      const args = settlements.flatMap(({ windowName, id, reserved, used }) => [
        windowName,
        id,
        `${reserved}`,
        `${used}`,
      ])
      return call(items, options, async (keys) => {
        const answer = await settle(keys, args, options)
        if (Array.isArray(answer) && answer.length === settlements.length) {
          return answer.map((changed) => toInteger(changed) === 1)
        }
        throw new StoreError('unreachable', 'the script returned an unexpected answer')
      })
    },
  }
}

/** Reads `windowName` and `settled`, which follow each grant in the script's answer. */
function readAccount([, , , , name, settled]: readonly unknown[] = []) {
  return {
    ...(typeof name === 'string' && name !== '' && { windowName: name }),
    settled: toInteger(settled) || 0,
  }
}
