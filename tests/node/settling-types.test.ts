import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { settling } from '../../src/settling/settling.ts'
import { redis } from '../../src/stores/redis.ts'

const client = new Redis(inject('redisUrl'), { autoResendUnfulfilledCommands: false })
afterAll(() => client.disconnect())

/** A store with a prefix of its own, in which a decision has taken 3 units. */
async function reserved() {
  const prefix = `types-${crypto.randomUUID()}`
  const store = settling(redis(client, { prefix }))
  const key = { policy: 'login', client: 'a' }
  const demand = { ...key, limit: 5, window: 60_000, cost: 3, settling: 'one' }
  const [grant] = await store.take([demand])
  const settlement = { ...key, id: 'one', windowName: `${grant?.windowName}`, reserved: 3, used: 1 }
  return { prefix, store, demand, settlement, count: () => client.get(`${prefix}:login:a`) }
}

test('a key of another type does not stop the other settlements of its call', async () => {
  const { prefix, store, settlement, count } = await reserved()
  await client.set(`${prefix}:login~settled:b`, 'no hash')
  const changed = await store.settle?.([{ ...settlement, client: 'b' }, settlement])
  expect(changed).toEqual([false, true])
  expect(await count()).toBe('1')
})

for (const [kind, write] of Object.entries({
  'a list': (key: string) => client.rpush(key, 'no count'),
  'a text': (key: string) => client.set(key, 'no count'),
  'a fraction': (key: string) => client.set(key, '1.5'),
})) {
  test(`a count that is ${kind} does not stop the other settlements of its call`, async () => {
    const { prefix, store, demand, settlement, count } = await reserved()
    const [other] = await store.take([{ ...demand, client: 'b', settling: 'other' }])
    await client.del(`${prefix}:login:b`)
    await write(`${prefix}:login:b`)
    const foreign = { ...settlement, client: 'b', windowName: `${other?.windowName}` }
    expect((await store.settle?.([foreign, settlement]))?.[1]).toBe(true)
    expect(await count()).toBe('1')
  })
}

test('a foreign value in place of the hash is replaced, and no unit is charged for an error', async () => {
  const { prefix, store, demand, count } = await reserved()
  await client.set(`${prefix}:login~settled:a`, 'no hash')
  const [grant] = await store.take([{ ...demand, cost: 1, settling: 'two' }])
  expect(grant).toMatchObject({ granted: 1, used: 4, windowName: 'two' })
  expect(await count()).toBe('4')
})
