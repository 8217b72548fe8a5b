import { createLimiter } from '../../limiter/limiter.ts'
import { DEFAULT_PREFIX, keyOf } from '../../stores/key.ts'
import type { Ask } from '../books.ts'
import type { Isolate, MakeRule } from '../isolate.ts'
import type { Life } from '../life.ts'
import { type Call, type MakeBackend, redis } from './backends.ts'

export interface TidegateOptions {
  readonly lease: boolean
  /**
   * Where it counts.
   * @default Redis
   */
  readonly backend?: MakeBackend
}

/** The product's own limiter and store: only the backend and the network are models. */
export function tidegate({ lease, backend = redis() }: TidegateOptions): MakeRule {
  return ({ limit, window, now, books }) => {
    const { billed, life: lifeOf, store } = backend(now)
    const requestOf = requests()

    /** Does what an isolate asks of the backend, and sees whose the granted units are. */
    function observe<Answer>(ask: Ask, key: string, ahead: Ahead, act: () => Promise<Answer>) {
      const before = Math.min(lifeOf(key)?.count ?? 0, limit)
      const answer = act()
      const life = lifeOf(key)
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

    const callFrom =
      (isolate: Isolate, ahead: Ahead): Call =>
      (key, act) =>
        isolate.call((ask) => observe(ask, key, ahead, act))

    return {
      billed,
      start(isolate) {
        const { clock, waitUntil } = isolate
        const ahead: Ahead = new WeakMap()
        const limiter = createLimiter({
          limit,
          // A short window as a bare number would be warned of.
          window: `${window}ms`,
          lease,
          store: store(callFrom(isolate, ahead)),
          client: nameOf,
          clock,
          // A real timer, which never rings: the process ends before.
          timeout: '1h',
          onStoreEvent: () => {},
        })
        return async (ask) => {
          const { allowed, source } = await limiter.check(requestOf(ask.client), { waitUntil })
          const life = lifeOf(keyOf(DEFAULT_PREFIX, { policy: '', client: ask.client }))
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

/** Units that the backend has granted to an isolate for no request yet, by the life of the key. */
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
