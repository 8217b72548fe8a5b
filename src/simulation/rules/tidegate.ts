import { createLimiter } from '../../limiter/limiter.ts'
import { DEFAULT_PREFIX, keyOf } from '../../stores/key.ts'
import type { RedisCommands } from '../../stores/redis-protocol/redis-commands.ts'
import { redisStore } from '../../stores/redis-protocol/redis-store.ts'
import type { Ask } from '../books.ts'
import type { Isolate, MakeRule } from '../isolate.ts'
import { type Life, redisModel } from '../redis-model.ts'

export interface TidegateOptions {
  readonly lease: boolean
  /** The store in each isolate, for tests to break. */
  readonly makeStore?: typeof redisStore
}

/** The product's own limiter over the product's own store: only Redis and the network are models. */
export function tidegate({ lease, makeStore = redisStore }: TidegateOptions): MakeRule {
  return ({ limit, window, now, books }) => {
    const redis = redisModel(now)
    const requestOf = requests()

    /** Does what an isolate asks of Redis, and sees whose the granted units are. */
    function observe(ask: Ask, key: string, ahead: Ahead, act: () => Promise<unknown>) {
      const before = Math.min(redis.life(key)?.count ?? 0, limit)
      const answer = act()
      const life = redis.life(key)
      let granted = Math.min(life?.count ?? 0, limit) - before
      if (!ask.settled && ask.countedIn === undefined) {
        if (life && granted > 0) {
          granted--
          books.counted(ask, life)
        } else {
          books.full(ask, life)
        }
      }
      if (life && granted > 0) ahead.set(life, (ahead.get(life) ?? 0) + granted)
      return answer
    }

    function clientOf(isolate: Isolate, ahead: Ahead): RedisCommands {
      const send = (key: string | undefined, act: () => Promise<unknown>) =>
        isolate.call((ask) => observe(ask, key ?? '', ahead, act))
      return {
        incrby: (key, units) => send(key, () => redis.client.incrby(key, units)),
        eval: (text, keys, args) => send(keys[0], () => redis.client.eval(text, keys, args)),
        evalsha: (sha, keys, args) => send(keys[0], () => redis.client.evalsha(sha, keys, args)),
      }
    }

    return {
      billed: redis.billed,
      start(isolate) {
        const { clock, waitUntil } = isolate
        const ahead: Ahead = new WeakMap()
        const limiter = createLimiter({
          limit,
          window,
          lease,
          store: makeStore(clientOf(isolate, ahead), { name: 'model', prefix: DEFAULT_PREFIX }),
          client: nameOf,
          clock,
          // A real timer, which never rings: the process ends before.
          timeout: '1h',
          onStoreEvent: () => {},
        })
        return async (ask) => {
          const { allowed, source } = await limiter.check(requestOf(ask.client), { waitUntil })
          const life = redis.life(keyOf(DEFAULT_PREFIX, { policy: '', client: ask.client }))
          const held = life && ahead.get(life)
          if (source === 'known') {
            books.full(ask, life)
          } else if (source === 'lease' && life && held) {
            ahead.set(life, held - 1)
            books.counted(ask, life)
          } else if (source === 'local') {
            throw new Error('the store of the simulation is never away')
          }
          return allowed
        }
      },
    }
  }
}

/** Units that Redis has granted to an isolate for no request yet, by the life of the key. */
type Ahead = WeakMap<Life, number>

const nameOf = (request: Request) => ({ plain: request.headers.get('x-client') ?? '' })

/** One request for each client, made once. */
function requests(): (client: string) => Request {
  const made = new Map<string, Request>()
  return (client) => {
    const request =
      made.get(client) ?? new Request('https://example.com/', { headers: { 'x-client': client } })
    made.set(client, request)
    return request
  }
}
