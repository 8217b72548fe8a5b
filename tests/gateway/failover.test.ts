import { connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
import { BUSY } from '../support/busy.ts'
import { listenLocally } from '../support/listen.ts'
import { spawnRedis } from '../support/redis-server.ts'

const first = await spawnRedis()
const second = await spawnRedis()
const admin = new Redis(first.url)
afterAll(async () => {
  admin.disconnect()
  await Promise.all([first.stop(), second.stop()])
})

/** An address that always leads to the current primary, as those of hosted Redis do. */
async function address(initial: string) {
  const sockets = new Set<Socket>()
  let master = initial
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(master).port), '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  const port = await listenLocally(proxy)
  return {
    url: `redis://127.0.0.1:${port}`,
    lead(url: string) {
      master = url
    },
    stop() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

test('after a failover the gateway connects anew, to where its address leads now', async () => {
  const { url, lead, stop } = await address(first.url)
  const log: string[] = []
  const backend = redisBackend(url, { log: (line) => log.push(line), pingInterval: 1 })
  try {
    await expect.poll(() => backend.isAvailable, BUSY).toBe(true)
    const write = async () => backend.call(['SET', 'a', '1']).catch(String)
    expect(await write()).toHaveProperty('value')
    await admin.replicaof('127.0.0.1', new URL(second.url).port)
    lead(second.url)
    expect(await write()).toEqual({ error: expect.stringMatching(/^READONLY /) })
    await expect.poll(write, BUSY).toHaveProperty('value')
    expect(log[0]).toBe(
      'Redis is unavailable (READONLY: the server is a replica now): all requests get 503 until it is back',
    )
    expect(log).toHaveLength(2)
  } finally {
    await backend.stop()
    stop()
    await admin.replicaof('NO', 'ONE')
  }
})

test('one that stays a replica does not cost everybody the connection with each write', async () => {
  await admin.replicaof('127.0.0.1', new URL(second.url).port)
  const log: string[] = []
  const backend = redisBackend(first.url, { log: (line) => log.push(line), pingInterval: 60_000 })
  try {
    await expect.poll(() => backend.isAvailable, BUSY).toBe(true)
    for (let turn = 0; turn < 20; turn++) {
      const refused = await backend.call(['SET', 'a', '1'])
      expect(refused).toEqual({ error: expect.stringMatching(/^READONLY /) })
    }
    expect(log).toEqual([])
  } finally {
    await backend.stop()
    await admin.replicaof('NO', 'ONE')
  }
})

test('a connection that ends as if for good, as after QUIT, is opened again', async () => {
  const log: string[] = []
  const backend = redisBackend(first.url, { log: (line) => log.push(line) })
  try {
    await expect.poll(() => backend.isAvailable, BUSY).toBe(true)
    await backend.call(['QUIT'])
    await expect.poll(() => log.length, BUSY).toBe(2)
    expect(await backend.call(['PING'])).toHaveProperty('value')
  } finally {
    await backend.stop()
  }
  expect(log).toEqual([
    expect.stringContaining('is unavailable'),
    expect.stringContaining('is back'),
  ])
})

test('a server that repeats its password in an error does not bring it into the log', async () => {
  const renamed = await spawnRedis({ args: ['--rename-command', 'AUTH', 'elsewhere'] })
  const log: string[] = []
  const url = renamed.url.replace('//', '//usr:hush-pass@')
  const backend = redisBackend(url, { log: (line) => log.push(line) })
  try {
    await expect
      .poll(() => log.join(), BUSY)
      .toContain("Redis is unavailable (ERR unknown command 'auth'")
    expect(log.join()).not.toMatch(/usr|hush/)
  } finally {
    await backend.stop()
    await renamed.stop()
  }
})
