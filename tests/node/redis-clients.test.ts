import { Cluster as Cluster6 } from 'ioredis'
import { Cluster as Cluster53, Redis as Redis53 } from 'ioredis-5.3'
import { Cluster as Cluster510, Redis as Redis510 } from 'ioredis-5.10'
import { Cluster as ClusterValkey } from 'iovalkey'
import { afterAll, describe, expect, test } from 'vitest'
import { type IoRedisClient, redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { connectToCluster, startCluster } from '../support/redis-cluster.ts'
import { spawnRedis } from '../support/redis-server.ts'
import { clientSubject } from '../support/subjects.ts'

const [server, cluster] = await Promise.all([spawnRedis(), startCluster()])
const { connection, close } = await connectToCluster(cluster.nodes)
const clients: (IoRedisClient & { disconnect(): void })[] = []
afterAll(async () => {
  for (const client of clients) client.disconnect()
  close()
  await Promise.all([server.stop(), cluster.stop()])
})

function kept<Client extends IoRedisClient & { disconnect(): void }>(client: Client): Client {
  clients.push(client)
  return client
}

const ONCE = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 }

for (const [version, Redis] of [
  ['5.3', Redis53],
  ['5.10', Redis510],
] as const) {
  const client = kept(new Redis(server.url, ONCE))
  describe(`store: redis with ioredis ${version}`, () => {
    storeConformance({
      test,
      make: () => clientSubject(client, (options) => redis(client, options)),
    })
  })
}

const CLUSTERS = {
  'ioredis 5.3': Cluster53,
  'ioredis 5.10': Cluster510,
  'ioredis 6': Cluster6,
  iovalkey: ClusterValkey,
}

for (const [name, Cluster] of Object.entries(CLUSTERS)) {
  const options = { retryDelayOnFailover: 0, redisOptions: ONCE, enableAutoPipelining: true }
  const client = kept(new Cluster([...cluster.nodes], options))

  describe(`store: redis with ${name} in a cluster, with automatic pipelining`, () => {
    storeConformance({
      test,
      make: () => clientSubject(connection, (options) => redis(client, options)),
    })
  })

  test(`${name} in a cluster, with automatic pipelining, counts clients at the same time`, async () => {
    const store = redis(client, { prefix: `pipelined-${name.replace(' ', '-')}` })
    const take = (client: string) =>
      store.take([{ policy: '', client, limit: 9, window: 60_000, cost: 1 }])
    for (const used of [1, 2]) {
      const names = Array.from({ length: 40 }, (_, index) => `client-${index}`)
      const grants = await Promise.all(names.map(take))
      expect(grants.flat().map((grant) => grant.used)).toEqual(names.map(() => used))
    }
  })
}
