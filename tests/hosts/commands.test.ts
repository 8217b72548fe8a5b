import { afterAll, expect, test } from 'vitest'
import { upstash } from '../../src/stores/upstash.ts'
import { startGateway } from '../support/gateway-server.ts'
import { isolate } from '../support/guarded.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis()
const gateway = await startGateway(server.url)
afterAll(async () => {
  await gateway.stop()
  await server.stop()
})

/** What Redis itself counted of the commands that a call caused, those inside scripts included. */
async function commandsOf(call: () => Promise<unknown>): Promise<string[]> {
  await gateway.redis.config('RESETSTAT')
  await call()
  const stats = await gateway.redis.info('commandstats')
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, calls]) => ({
    name: `${name}`,
    calls: Number(calls),
  }))
  return counts
    .filter(({ name }) => !['info', 'config|resetstat'].includes(name))
    .flatMap(({ name, calls }) => Array<string>(calls).fill(name))
    .sort()
}

test('a check is billed three commands when it opens a window, then one while that is open', async () => {
  const store = isolate(upstash(gateway), Date.now)
  const check = (client: string) => () =>
    store.take([{ policy: '', client, limit: 3, window: 60_000, cost: 1 }])
  await check('warm')()
  expect(await commandsOf(check('a'))).toEqual(['evalsha', 'incrby', 'pexpire'])
  expect(await commandsOf(check('a'))).toEqual(['incrby'])
  expect(await commandsOf(check('a'))).toEqual(['incrby'])
  // Beyond the limit the isolate does not ask.
  expect(await commandsOf(check('a'))).toEqual([])
})

test('a check of a store alone, which remembers nothing, is billed three commands each time', async () => {
  const store = upstash(gateway)
  const demand = { policy: '', client: 'alone', limit: 3, window: 60_000, cost: 1 }
  await store.take([{ ...demand, client: 'warm' }])
  expect(await commandsOf(() => store.take([demand]))).toEqual(['evalsha', 'incrby', 'pexpire'])
  expect(await commandsOf(() => store.take([demand]))).toEqual(['evalsha', 'incrby', 'pttl'])
  const observed = { used: 2, isOpen: () => true }
  expect(await commandsOf(() => store.take([demand], { observed }))).toEqual(['incrby'])
  const refused = ['evalsha', 'incrby', 'incrby', 'pttl']
  expect(await commandsOf(() => store.take([demand]))).toEqual(refused)
})

test('a check is billed three commands when another isolate opened the window, and then one', async () => {
  const demand = { policy: '', client: 'b', limit: 9, window: 60_000, cost: 1 }
  const [here, there] = [upstash(gateway), isolate(upstash(gateway), Date.now)]
  await here.take([demand])
  await there.take([{ ...demand, client: 'warm' }])
  expect(await commandsOf(() => there.take([demand]))).toEqual(['evalsha', 'incrby', 'pttl'])
  expect(await commandsOf(() => there.take([demand]))).toEqual(['incrby'])
})

test('a check that another isolate has left no unit is billed four commands', async () => {
  const demand = { policy: '', client: 'd', limit: 1, window: 60_000, cost: 1 }
  const [here, there] = [upstash(gateway), upstash(gateway)]
  await here.take([demand])
  await there.take([{ ...demand, client: 'warm' }])
  const asked = ['evalsha', 'incrby', 'incrby', 'pttl']
  expect(await commandsOf(() => there.take([demand]))).toEqual(asked)
  expect(await gateway.redis.get('ratelimit:d')).toBe('1')
})

test('a larger cost, and several policies, are one script', async () => {
  const store = upstash(gateway)
  const demand = { client: 'c', limit: 9, window: 60_000, cost: 2 }
  const all = [
    { ...demand, policy: 'a' },
    { ...demand, policy: 'b' },
  ]
  await store.take(all)
  expect(await commandsOf(() => store.take(all.slice(1)))).toContain('evalsha')
  expect((await commandsOf(() => store.take(all))).filter((name) => name === 'evalsha')).toEqual([
    'evalsha',
  ])
})
