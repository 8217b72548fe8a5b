import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { settling } from '../../src/settling/settling.ts'
import { redis } from '../../src/stores/redis.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.disconnect())

test('a key of another type does not stop the other settlements of its call', async () => {
  const prefix = `types-${Date.now()}`
  const store = settling(redis(client, { prefix }))
  const key = { policy: 'login', client: 'a' }
  const demand = { ...key, limit: 5, window: 60_000, cost: 3, settling: 'one' }
  const [grant] = await store.take([demand])
  await client.set(`${prefix}:login~settled:b`, 'no hash')
  const settlement = { ...key, id: 'one', windowName: `${grant?.windowName}`, reserved: 3, used: 1 }
  const changed = await store.settle?.([{ ...settlement, client: 'b' }, settlement])
  expect(changed).toEqual([false, true])
  expect(await client.get(`${prefix}:login:a`)).toBe('1')
})
