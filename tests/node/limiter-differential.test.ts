/** What a limiter decides does not depend on its store: any sequence of calls, over each kind of store. */
import { Redis } from 'ioredis'
import { afterAll, inject, test } from 'vitest'
import { guard, type Store } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startObjects } from '../support/durable-object.ts'
import { expectDecisionsOfMemory, type Place } from '../support/limiter-differential.ts'
import { clientSubject } from '../support/subjects.ts'

const tcp = new Redis(inject('redisUrl'), { autoResendUnfulfilledCommands: false })
const objects = await startObjects()
afterAll(async () => {
  tcp.disconnect()
  await objects.stop()
})

/** A place over Redis, whose keys are looked after through a connection of their own. */
function overRedis(make: (options: { readonly prefix: string }) => Store): Place {
  let clock = Date.now
  const { store, shift } = clientSubject(tcp, (options, seen) => {
    clock = seen
    return make(options)
  })
  return { store, shift, clock: () => clock() }
}

function overObjects(): Place {
  let shifted = 0
  const start = Date.now()
  return {
    store: { ...objects.storeOf('CLOCKED'), guard },
    clock: () => start + shifted,
    async shift(ms) {
      shifted += ms
      await objects.elapse(ms)
    },
  }
}

/** How often each place is tried: calls over HTTP take longer. */
const PLACES: readonly (readonly [kind: string, place: () => Place, numRuns: number])[] = [
  ['Redis over TCP', () => overRedis((options) => redis(tcp, options)), 150],
  ['Redis over REST', () => overRedis((options) => upstash(inject('gateway'), options)), 80],
  ['Durable Objects', overObjects, 30],
]

for (const [kind, place, numRuns] of PLACES) {
  test(`for any sequence of calls a limiter over ${kind} decides what it decides over memory`, async () => {
    await expectDecisionsOfMemory(place, numRuns)
  })
}
