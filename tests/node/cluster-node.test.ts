/** Which node of a real cluster counts a client: its breaker is that of the node. */
import { afterAll, expect, test } from 'vitest'
import { redis } from '../../src/stores/redis.ts'
import { slotOf } from '../../src/stores/redis-protocol/cluster-node.ts'
import { connectToCluster, startCluster } from '../support/redis-cluster.ts'

const cluster = await startCluster()
const { clients, close } = await connectToCluster(cluster.nodes)
afterAll(async () => {
  close()
  await cluster.stop()
})

const NAMES = ['203.0.113.7', 'user-1', '2001:db8::/64', 'ü', 'a{b}', '']

test('the slot of a tag is that of the server', async () => {
  for (const tag of ['203.0.113.7', 'user-1', 'ü', '123456789']) {
    expect(await clients.ioredis.cluster('KEYSLOT', `k:{${tag}}`)).toBe(slotOf(tag))
  }
})

for (const [name, client] of Object.entries(clients)) {
  test(`through ${name} a client is counted by a node, and many clients by all nodes`, async () => {
    const store = redis(client)
    // A library finds the nodes with its first command.
    const demand = { policy: '', limit: 1, window: 1000, cost: 1 }
    for (const counted of NAMES) await store.take([{ ...demand, client: counted }])
    const found = Array.from({ length: 100 }, (_, n) => store.backendOf?.(`client-${n}`))
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`)
    expect(new Set(found)).toEqual(new Set(nodes))
  })
}

test('a client without slots stands for itself', () => {
  const command = async () => []
  const unknown = { isCluster: true, evalsha: command, eval: command, incrby: command }
  expect(redis(unknown).backendOf?.('user-1')).toBe('user-1')
})
