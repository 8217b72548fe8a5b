import { Redis as IoRedis } from 'ioredis'
import { Redis as IoValkey } from 'iovalkey'
import { createClient } from 'redis'
import { afterAll, inject, test } from 'vitest'
import { redis } from '../../src/stores/redis.ts'
import { expectGrantsOfMemory } from '../support/differential.ts'
import { guarded } from '../support/guarded.ts'
import {
  connectToCluster,
  connectToSentinel,
  startCluster,
  startSentinel,
} from '../support/redis-cluster.ts'
import { clientSubject } from '../support/subjects.ts'

const [cluster, sentinel] = await Promise.all([startCluster(), startSentinel()])
afterAll(async () => {
  await Promise.all([cluster.stop(), sentinel.stop()])
})

/** Clients of one server, which is the first of them to look after the keys. */
async function connectTo(url: string) {
  const ioredis = new IoRedis(url)
  const iovalkey = new IoValkey(url)
  const nodeRedis = await createClient({ url }).connect()
  return {
    clients: { ioredis, iovalkey, 'node-redis': nodeRedis },
    connection: ioredis,
    close() {
      ioredis.disconnect()
      iovalkey.disconnect()
      nodeRedis.destroy()
    },
  }
}

const PLACES = {
  'one server': await connectTo(inject('redisUrl')),
  'a cluster': await connectToCluster(cluster.nodes),
  'a master behind Sentinel': await connectToSentinel(sentinel.name, sentinel.sentinels),
}
afterAll(async () => {
  for (const place of Object.values(PLACES)) await place.close()
})

for (const [where, { clients, connection }] of Object.entries(PLACES)) {
  for (const [name, client] of Object.entries(clients)) {
    test(`redis with ${name} on ${where} grants what memory grants, for any sequence of demands and waits`, async () => {
      const make = () => clientSubject(connection, (options) => redis(client, options))
      await expectGrantsOfMemory(make, 60)
    })
    test(`a guard around redis with ${name} on ${where} grants the same`, async () => {
      const make = () =>
        clientSubject(connection, (options, clock) => guarded(redis(client, options), clock))
      await expectGrantsOfMemory(make, 30, true)
    })
  }
}
