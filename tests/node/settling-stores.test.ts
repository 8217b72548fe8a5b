/** Settlements through limiters of two isolates, over remote stores. That of a cluster: redis-cluster.test.ts. */
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { createLimiter, guard, type Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'
import { redis } from '../../src/stores/redis.ts'
import { batching, upstash } from '../../src/stores/upstash.ts'
import { vercelKv } from '../../src/stores/vercel-kv.ts'
import { startObjects } from '../support/durable-object.ts'
import { answerLoser } from '../support/lost-answer.ts'
import { pause } from '../support/pause.ts'
import { testSettlements } from '../support/settling-through-limiters.ts'

// Its `kv` looks for variables as soon as it is imported by a tool that looks at its exports.
process.env.KV_REST_API_URL = inject('gateway').url
process.env.KV_REST_API_TOKEN = inject('gateway').token
const { kv } = await import('@vercel/kv')

const objects = await startObjects()
const loser = answerLoser()
afterAll(async () => {
  loser.stop()
  await objects.stop()
})

const STORES: Readonly<Record<string, (prefix: string) => Store>> = {
  'Vercel KV': (prefix) => vercelKv(kv, { prefix }),
  'Upstash in batches': (prefix) =>
    upstash(inject('upstash'), { prefix, keyLocking: true, batch: batching({ wait: 2 }) }),
  'Durable Objects': () => ({ ...objects.storeOf('TIDEGATE'), guard }),
}

for (const [kind, make] of Object.entries(STORES)) testSettlements(kind, make)

test('a settlement whose answer is lost is sent again over a new connection, and counts once', async () => {
  const { hostname, port } = new URL(inject('redisUrl'))
  const address = await loser.standBefore({ host: hostname, port: Number(port) })
  const connection = new Redis({ ...address, autoResendUnfulfilledCommands: false })
  connection.on('error', () => {})
  try {
    const limiter = createLimiter({
      limit: 5,
      window: 60_000,
      settle: true,
      timeout: 200,
      onStoreEvent: () => {},
      store: settling(redis(connection, { prefix: crypto.randomUUID() })),
    })
    const work: Promise<unknown>[] = []
    const waitUntil = (one: Promise<unknown>) => void work.push(one)
    const client = crypto.randomUUID()
    const decision = await limiter.take(client, { cost: 1, waitUntil })
    loser.loseAnswer(`${JSON.parse(`${decision.receipt}`)[0]}`)
    expect(await limiter.settle(decision, 3)).toBe(false)
    await pause(250)
    const looks = []
    for (let look = 0; look < 3; look++) {
      const { source, policy } = await limiter.take(client, { cost: 0, waitUntil })
      looks.push(source, policy?.remaining)
      await Promise.all(work)
    }
    expect(looks).toEqual(['store', 2, 'store', 2, 'store', 2])
  } finally {
    connection.disconnect()
  }
})
