import { readFileSync } from 'node:fs'
import { Redis as IoRedis } from 'ioredis'
import { Redis as IoValkey } from 'iovalkey'
import { createClient } from 'redis'
import { afterAll, expect, test } from 'vitest'
import { settling } from '../../src/settling/settling.ts'
import { redis } from '../../src/stores/redis.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startGateway } from '../support/gateway-server.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis()
const admin = new IoRedis(server.url)
const page = readFileSync('docs/stores.md', 'utf8')
/** Runs the command of a block of the page. */
async function setUser(block: RegExp): Promise<void> {
  const [, line = ''] = block.exec(page) ?? []
  const [name = '', ...rules] = line.trim().split(' ')
  await admin.call(name, ...rules)
}
await setUser(/```text acl\n(.*)\n```/)
const url = server.url.replace('//', '//limiter:a-long-password@')

const ioredis = new IoRedis(url)
const iovalkey = new IoValkey(url)
const nodeRedis = await createClient({ url }).connect()
const gateway = await startGateway(url)
afterAll(async () => {
  ioredis.disconnect()
  iovalkey.disconnect()
  await nodeRedis.close()
  await gateway.stop()
  admin.disconnect()
  await server.stop()
})

const STORES = {
  ioredis: () => redis(ioredis),
  iovalkey: () => redis(iovalkey),
  'node-redis': () => redis(nodeRedis),
  'the gateway': () => upstash(gateway),
}

for (const [client, make] of Object.entries(STORES)) {
  test(`the user that docs/stores.md makes is enough for ${client}, and for nothing else`, async () => {
    const store = make()
    const demand = { policy: 'acl', client, limit: 2, window: 60_000, cost: 1 }
    const granted = async () => (await store.take([demand]))[0]?.granted
    expect([await granted(), await granted(), await granted()]).toEqual([1, 1, 0])
    await admin.persist(`ratelimit:acl:${client}`)
    expect(await granted()).toBe(0)
    expect(await admin.pttl(`ratelimit:acl:${client}`)).toBeGreaterThan(0)
  })
}

for (const [client, make] of Object.entries(STORES)) {
  test(`and with the further commands also for settlements and resets, over ${client}`, async () => {
    const store = settling(make())
    const key = { policy: 'acl-settle', client }
    const demand = { ...key, limit: 2, window: 60_000, cost: 2, settling: 'id' }
    await admin.call('ACL', 'SETUSER', 'limiter', '-del', '-hmget')
    await expect(store.take([demand])).rejects.toMatchObject({ code: 'unauthorized' })
    await setUser(/```text acl-settle\n(.*)\n```/)
    await store.reset?.([key])
    const [{ granted, windowName = '' } = { granted: 0 }] = await store.take([demand])
    const settlement = { ...key, id: 'id', windowName, reserved: 2, used: 1 }
    expect([granted, await store.settle?.([settlement])]).toEqual([2, [true]])
    await store.reset?.([key])
    expect((await store.take([{ ...demand, cost: 0 }]))[0]?.used).toBe(0)
  })
}

test('the user that docs/stores.md makes may touch no other key and no other command', async () => {
  await expect(ioredis.get('session:1')).rejects.toThrow('NOPERM')
  await expect(ioredis.flushall()).rejects.toThrow('NOPERM')
  await expect(ioredis.keys('*')).rejects.toThrow('NOPERM')
})
