import { StoreError } from '../../errors.ts'
import { taggedKeyOf } from '../key.ts'
import type { Store } from '../store.ts'
import type { RedisCommands } from './redis-commands.ts'
import { type RedisStoreSettings, redisStore } from './redis-store.ts'

/** A `redisStore` in a Redis Cluster: all keys of one call must share a slot, so it has one client. */
export function clusterStore(
  client: RedisCommands,
  settings: RedisStoreSettings,
  backendOf: NonNullable<Store['backendOf']>,
): Store {
  const store = redisStore(client, { ...settings, toKey: taggedKeyOf })
  return {
    ...store,
    oneClient: true,
    backendOf,
    async take(demands, options) {
      if (demands.some(({ client }) => client !== demands[0]?.client)) {
        const { name } = settings
        throw new StoreError('rejected', `${name}: one call cannot count different clients`)
      }
      return store.take(demands, options)
    },
  }
}
