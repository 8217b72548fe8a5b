/** A process of its own that takes from a Redis, as one of several servers would. */
import { Redis as IoRedis } from 'ioredis'
import { Redis as IoValkey } from 'iovalkey'
import { createClient } from 'redis'
import { redis } from '../../src/stores/redis.ts'

const [, , kind = '', url = '', client = '', limit = '', takes = ''] = process.argv

const connect = {
  ioredis: async () => redis(new IoRedis(url)),
  iovalkey: async () => redis(new IoValkey(url)),
  'node-redis': async () => redis(await createClient({ url }).connect()),
}[kind]
if (!connect) throw new Error(`no client is called ${kind}`)
const store = await connect()

// Told to begin by a line, so that all processes begin at once.
console.log('ready')
process.stdin.once('data', async () => {
  const demand = { policy: 'exact', client, limit: Number(limit), window: 60_000, cost: 1 }
  const grants = await Promise.all(
    Array.from({ length: Number(takes) }, () => store.take([demand])),
  )
  console.log(`granted ${grants.filter(([grant]) => grant?.granted === 1).length}`)
  process.exit(0)
})
