import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster as IoRedisCluster, Redis } from 'ioredis'
import { Redis as IoValkey, Cluster as IoValkeyCluster } from 'iovalkey'
import { createCluster, createSentinel } from 'redis'
import { vi } from 'vitest'
import { BUSY } from './busy.ts'
import { freePort } from './listen.ts'
import { type RedisServer, type SpawnOptions, spawnRedis } from './redis-server.ts'

/** Servers, and how to stop them all. */
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

/** Polls until the answer is right: real servers take a while to agree. */
const until = (right: () => Promise<boolean>) =>
  vi.waitUntil(() => right().catch(() => false), BUSY)

/** Where clients are told to find a server: at its own address, or at what stands before it. */
type Announce = (server: Address) => Promise<Address>
const itself: Announce = async (server) => server

/** Options by which a client of ioredis or iovalkey never sends a command twice. */
const ONCE = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 } as const

/** A client of each library for the cluster of `nodes`, none of which sends a command twice. */
export async function connectToCluster(nodes: readonly Address[]) {
  const options = { retryDelayOnFailover: 0, redisOptions: ONCE }
  const ioredis = new IoRedisCluster([...nodes], options)
  const iovalkey = new IoValkeyCluster([...nodes], options)
  const rootNodes = nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
  const nodeRedis = createCluster({ rootNodes }).on('error', () => {})
  await nodeRedis.connect()
  return {
    clients: { ioredis, iovalkey, 'node-redis': nodeRedis },
    /** For tests that inspect keys: lists the keys of all nodes, and finds the node of a key. */
    connection: {
      async keys(pattern: string) {
        const nodes = ioredis.nodes('master')
        return (await Promise.all(nodes.map((node: Redis) => node.keys(pattern)))).flat()
      },
      del: (key: string) => ioredis.del(key),
      persist: (key: string) => ioredis.persist(key),
      pttl: (key: string) => ioredis.pttl(key),
      pexpire: (key: string, ms: number) => ioredis.pexpire(key, ms),
    },
    close() {
      ioredis.disconnect()
      iovalkey.disconnect()
      nodeRedis.destroy()
    },
  }
}

/** A client of each library for the master that `sentinels` name, none of which sends twice. */
export async function connectToSentinel(name: string, sentinels: readonly Address[]) {
  const options = { name, sentinels: [...sentinels], enableOfflineQueue: false, ...ONCE }
  const ioredis = new Redis(options).on('error', () => {})
  const iovalkey = new IoValkey(options).on('error', () => {})
  const nodeRedis = createSentinel({
    name,
    sentinelRootNodes: [...sentinels],
    maxCommandRediscovers: 0,
  }).on('error', () => {})
  const ready = [ioredis, iovalkey].map(
    (client) => new Promise<void>((resolve) => client.once('ready', () => resolve())),
  )
  await Promise.all([...ready, nodeRedis.connect()])
  return {
    clients: { ioredis, iovalkey, 'node-redis': nodeRedis },
    connection: ioredis,
    async close() {
      ioredis.disconnect()
      iovalkey.disconnect()
      await nodeRedis.destroy()
    },
  }
}

/**
 * Servers with a folder of their own. All of it ends with `stop`, when `begin` fails, and with this
 * process.
 */
export async function together<T>(
  name: string,
  begin: (folder: string, atEnd: (end: () => unknown) => void) => Promise<T>,
): Promise<T & Servers> {
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${name}-`))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  // Vitest ends a worker whose test file threw by this signal, of which nothing at exit would know.
  process.once('SIGTERM', () => process.exit())
  const ends: (() => unknown)[] = []
  const stop = async () => {
    for (const end of ends.toReversed()) await end()
    process.off('exit', remove)
    remove()
  }
  try {
    return { ...(await begin(folder, (end) => ends.push(end))), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A Redis Cluster of three nodes, which share the slots between them. */
export const startCluster = (announce = itself) =>
  together('cluster', async (folder, atEnd) => {
    const spawnNode = async (index: number) => {
      const bus = await freePort()
      const file = join(folder, `nodes-${index}.conf`)
      const cluster = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`]
      const server = await spawnRedis({ args: [...cluster, '--cluster-config-file', file] })
      const redis = new Redis(server.url)
      atEnd(() => server.stop())
      atEnd(() => redis.disconnect())
      const address = addressOf(server)
      const announced = await announce(address)
      await redis.config('SET', 'cluster-announce-port', announced.port)
      return { address, announced, bus, redis }
    }
    const nodes = await Promise.all([0, 1, 2].map(spawnNode))
    const slots = ['0 5461', '5462 10922', '10923 16383']
    for (const [index, { redis, address, bus }] of nodes.entries()) {
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', ...`${slots[index]}`.split(' '))
      const meet = ['MEET', address.host, `${address.port}`, `${bus}`]
      if (index > 0) await nodes[0]?.redis.call('CLUSTER', ...meet)
    }
    for (const { redis } of nodes) {
      await until(async () => {
        const info = `${await redis.call('CLUSTER', 'INFO')}`
        return /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(info)
      })
    }
    return { nodes: nodes.map(({ announced }) => announced) }
  })

/** A master and a replica, watched by a sentinel that makes the replica master when it must. */
export const startSentinel = (announce = itself) =>
  together('sentinel', async (folder, atEnd) => {
    const start = async (options: SpawnOptions) => {
      const server = await spawnRedis(options)
      const redis = new Redis(server.url).on('error', () => {})
      atEnd(() => server.stop())
      atEnd(() => redis.disconnect())
      return { server, redis, address: addressOf(server) }
    }
    const master = await start({ args: ['--repl-diskless-sync-delay', '0'] })
    const { host, port } = master.address
    const replica = await start({ args: ['--replicaof', host, `${port}`] })
    const replication = () => replica.redis.info('replication')
    // A sentinel that does not find the replica at once looks again only after ten seconds.
    await until(async () => (await replication()).includes('master_link_status:up'))

    const config = join(folder, 'sentinel.conf')
    const name = 'counts'
    const announced = await announce(master.address)
    const lines = [
      `sentinel monitor ${name} ${announced.host} ${announced.port} 1`,
      // Long enough that a master on a busy machine is not taken for one that is down.
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 2000`,
      `dir ${folder}`,
    ]
    writeFileSync(config, `${lines.join('\n')}\n`)
    const watch = await start({ config, args: ['--sentinel'] })
    const replicas = () => watch.redis.call('SENTINEL', 'REPLICAS', name)
    await until(async () => `${await replicas()}`.includes('slave'))
    return {
      name,
      sentinels: [watch.address],
      /** Kills the master and waits until the replica is one. */
      async failOver() {
        master.redis.disconnect()
        await master.server.stop('SIGKILL')
        await until(async () => (await replication()).includes('role:master'))
      },
    }
  })
