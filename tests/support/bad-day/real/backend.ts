import type { Redis } from 'ioredis'
import { guard } from '../../../../src/isolate/guard.ts'
import { keyOf } from '../../../../src/stores/key.ts'
import { redisFromUrl } from '../../../../src/stores/redis-protocol/redis-url.ts'
import type { Demand, Store } from '../../../../src/stores/store.ts'
import { batching, upstash } from '../../../../src/stores/upstash.ts'
import type { startObjects } from '../../durable-object.ts'
import { type FaultProxy, faultProxy } from '../../faults/fault-proxy.ts'
import type { Endpoint } from '../../servers.ts'

/** Real servers, and how an isolate reaches them. */
export interface Backend {
  readonly protocol: 'redis' | 'rest' | 'objects'
  /** A store of one isolate, and the proxy that its calls pass. */
  connect(): Promise<Connection>
  /** Units used, as the server has counted them. */
  used(demand: Demand): Promise<number>
  /** Loses a key. Nothing takes a count from a Durable Object. */
  lose(demand: Demand): Promise<void>
  /** The keys of these clients that have no expiry. */
  unexpiring(demands: readonly Demand[]): Promise<readonly string[]>
}

export interface Connection {
  readonly store: Store
  readonly proxy: FaultProxy
}

/** What the keys of the two stores over Redis begin with. */
const PREFIX = 'ratelimit'

/** A real Redis over TCP, through ioredis. */
export const overTcp = (redisUrl: string, redis: Redis): Backend => ({
  protocol: 'redis',
  ...keysIn(redis),
  async connect() {
    const proxy = await faultProxy({ url: redisUrl })
    return { proxy, store: redisFromUrl('url', proxy.url) }
  },
})

/** The same Redis over HTTP, through our gateway. */
export const overRest = (gateway: Endpoint, redis: Redis, isBatched: boolean): Backend => ({
  protocol: 'rest',
  ...keysIn(redis),
  async connect() {
    const proxy = await faultProxy({ url: gateway.url })
    const batch = isBatched ? batching({ wait: 2 }) : undefined
    return { proxy, store: upstash({ url: proxy.url, token: gateway.token }, { batch }) }
  },
})

/** Durable Objects in workerd. The calls of an isolate to its object pass the proxy as HTTP. */
export const overObjects = (objects: Awaited<ReturnType<typeof startObjects>>): Backend => ({
  protocol: 'objects',
  async connect() {
    const proxy = await faultProxy({ url: objects.url.href })
    return { proxy, store: { ...objects.storeOf('TIDEGATE', undefined, proxy.url), guard } }
  },
  async used(demand) {
    const [grant] = await objects.storeOf('TIDEGATE').take([{ ...demand, cost: 0 }])
    return grant?.used ?? 0
  },
  lose: ({ client }) => objects.evict('TIDEGATE', client),
  unexpiring: async () => [],
})

/** What a connection of the test's own sees of the keys. */
function keysIn(redis: Redis): Pick<Backend, 'used' | 'lose' | 'unexpiring'> {
  const toKey = (demand: Demand) => keyOf(PREFIX, demand)
  return {
    used: async (demand) => Number(await redis.get(toKey(demand))),
    async lose(demand) {
      await redis.del(toKey(demand))
    },
    async unexpiring(demands) {
      const keys = demands.map(toKey)
      const lefts = await Promise.all(keys.map((key) => redis.pttl(key)))
      return keys.filter((_, index) => lefts[index] === -1)
    },
  }
}
