import { Redis } from 'ioredis'
import { inject } from 'vitest'
import { guard, memory, type Store } from '../../../src/index.ts'
import { settling } from '../../../src/settling/settling.ts'
import { random } from '../../../src/simulation/random.ts'
import { redis } from '../../../src/stores/redis.ts'
import { upstash } from '../../../src/stores/upstash.ts'
import { startObjects } from '../../support/durable-object.ts'
import { pause } from '../../support/pause.ts'

/** How many isolates count in one place. */
export const ISOLATES = 4

/** Starts what the stores of four isolates need: a connection for each, and a workerd. */
export async function isolateStores() {
  const connections = Array.from({ length: ISOLATES }, () => {
    // A command that is repeated after a reconnect would count twice.
    return new Redis(inject('redisUrl'), { autoResendUnfulfilledCommands: false })
  })
  const objects = await startObjects()
  /** An isolate knows nothing of what another isolate knows about the store's keys. */
  const isolates = (make: (index: number) => Store): readonly Store[] =>
    connections.map((_, index) => settling({ ...make(index), identity: undefined }))

  return {
    /** For each kind of store, a function that returns new stores of four isolates. */
    kinds: {
      memory() {
        const store = memory()
        return isolates(() => store)
      },
      'Redis over REST'() {
        const prefix = crypto.randomUUID()
        return isolates(() => upstash(inject('gateway'), { prefix }))
      },
      'Redis over TCP'() {
        const prefix = crypto.randomUUID()
        return isolates((index) => redis(connections[index] as Redis, { prefix }))
      },
      'a network that reorders calls'() {
        const { below } = random(1, 'network')
        const store = settling(memory())
        const trip =
          <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
          async (...args: Args): Promise<Result> => {
            await pause(below(8))
            const result = await call(...args)
            await pause(below(8))
            return result
          }
        const { take, settle = async () => [] } = store
        return isolates(() => ({ guard, take: trip(take), settle: trip(settle) }))
      },
      'a Durable Object': () => isolates(() => ({ ...objects.storeOf('TIDEGATE'), guard })),
    } satisfies Record<string, () => readonly Store[]>,

    async stop() {
      for (const connection of connections) connection.disconnect()
      await objects.stop()
    },
  }
}
