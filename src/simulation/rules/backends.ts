import type { Clock } from '../../clock.ts'
import { durableObject } from '../../stores/durable-object.ts'
import { DEFAULT_PREFIX, keyOf } from '../../stores/key.ts'
import { redisStore } from '../../stores/redis-protocol/redis-store.ts'
import type { Demand, Store } from '../../stores/store.ts'
import type { Life } from '../life.ts'
import { type ObjectBill, objectModel } from '../object-model.ts'
import { redisModel } from '../redis-model.ts'

/** Has an isolate call the backend about a key, over the network. */
export type Call = <Answer>(key: string, act: () => Promise<Answer>) => Promise<Answer>

/** Where Tidegate counts: the model of a backend, and the product's own store over it. */
export interface Backend {
  /** Commands or requests, as they are billed. Called once, at the end. */
  billed(): number
  /** The life that a key is in now. */
  life(key: string): Life | undefined
  /** The store in one isolate. */
  store(call: Call): Store
}

export type MakeBackend = (now: Clock) => Backend

/** @param makeStore the store in each isolate, for tests to break */
export const redis =
  (makeStore = redisStore): MakeBackend =>
  (now) => {
    const { client, billed, life } = redisModel(now)
    return {
      billed,
      life,
      store: (call) =>
        makeStore(
          {
            incrby: (key, units) => call(key, () => client.incrby(key, units)),
            eval: (text, keys, args) => call(keys[0] ?? '', () => client.eval(text, keys, args)),
            evalsha: (sha, keys, args) =>
              call(keys[0] ?? '', () => client.evalsha(sha, keys, args)),
          },
          { name: 'model', prefix: DEFAULT_PREFIX },
        ),
    }
  }

/** @param report gets the whole bill, at the end */
export const objects =
  (report: (bill: ObjectBill) => void = () => {}): MakeBackend =>
  (now) => {
    const { take, bill, sweep, life } = objectModel(now)
    return {
      billed() {
        sweep()
        report(bill())
        return bill().requests
      },
      life,
      store: (call) =>
        durableObject({
          idFromName: (name) => ({ name }),
          get: () => ({
            take: (demands: readonly Demand[]) =>
              call(demands[0] ? keyOf(DEFAULT_PREFIX, demands[0]) : '', async () => take(demands)),
          }),
        }),
    }
  }
