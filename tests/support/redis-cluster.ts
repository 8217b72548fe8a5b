import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, type RedisServer, spawnRedis } from './redis-server.ts'

/** Servers that act as one, and how to stop them all. */
interface Servers {
  stop(): Promise<void>
}

/** The address of a server, as clients take it. */
export interface Address {
  readonly host: string
  readonly port: number
}

const addressOf = ({ url }: RedisServer): Address => ({
  host: '127.0.0.1',
  port: Number(new URL(url).port),
})

/** Asks again until the answer is right; what is waited for is a real server's own agreement. */
async function until(right: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await right().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the servers did not agree within ten seconds')
}

/** A Redis Cluster of three nodes, which share the slots between them. */
export async function startCluster(): Promise<Servers & { readonly nodes: readonly Address[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-cluster-'))
  const spawnNode = async (index: number) => {
    const bus = await freePort()
    const file = join(folder, `nodes-${index}.conf`)
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`]
    const server = await spawnRedis({ args: [...cluster, '--cluster-config-file', file] })
    return { server, address: addressOf(server), bus, redis: new Redis(server.url) }
  }
  const nodes = await Promise.all([0, 1, 2].map(spawnNode))
  const slots = ['0 5461', '5462 10922', '10923 16383']
  for (const [index, { redis, address, bus }] of nodes.entries()) {
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', ...`${slots[index]}`.split(' '))
    const meet = ['MEET', address.host, `${address.port}`, `${bus}`]
    if (index > 0) await nodes[0]?.redis.call('CLUSTER', ...meet)
  }
  for (const { redis } of nodes) {
    await until(async () =>
      /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(`${await redis.call('CLUSTER', 'INFO')}`),
    )
  }
  return {
    nodes: nodes.map(({ address }) => address),
    async stop() {
      for (const { redis, server } of nodes) {
        redis.disconnect()
        await server.stop()
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A master and a replica, watched by a sentinel that makes the replica master when it must. */
export async function startSentinel() {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-sentinel-'))
  const master = await spawnRedis()
  const { host, port } = addressOf(master)
  const replica = await spawnRedis({ args: ['--replicaof', host, `${port}`] })
  const config = join(folder, 'sentinel.conf')
  const name = 'counts'
  const lines = [
    `sentinel monitor ${name} ${host} ${port} 1`,
    `sentinel down-after-milliseconds ${name} 300`,
    `sentinel failover-timeout ${name} 2000`,
    `dir ${folder}`,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const watch = await spawnRedis({ config, args: ['--sentinel'] })

  const follower = new Redis(replica.url)
  const sentinel = new Redis(watch.url)
  await until(async () => (await follower.info('replication')).includes('master_link_status:up'))
  await until(async () => `${await sentinel.call('SENTINEL', 'REPLICAS', name)}`.includes('slave'))
  return {
    name,
    sentinels: [addressOf(watch)],
    /** Kills the master and waits until the replica is one. */
    async failOver() {
      await master.stop('SIGKILL')
      await until(async () => (await follower.info('replication')).includes('role:master'))
    },
    async stop() {
      follower.disconnect()
      sentinel.disconnect()
      for (const server of [watch, replica, master]) await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
