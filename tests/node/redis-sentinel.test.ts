import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { startSentinel } from '../support/redis-cluster.ts'
import { clientSubject } from '../support/subjects.ts'

const servers = await startSentinel()
const { name, sentinels } = servers
const client = new Redis({ sentinels, name, maxRetriesPerRequest: 1, enableOfflineQueue: false })
await new Promise((resolve) => client.once('ready', resolve))
client.on('error', () => {})
afterAll(async () => {
  client.disconnect()
  await servers.stop()
})

describe('store: redis with ioredis behind Sentinel', () => {
  storeConformance({
    test,
    make: () => clientSubject(client, (options) => redis(client, options)),
  })
})

test('a failover in the middle of traffic throws nothing and leaves no key without expiry', async () => {
  const errors: string[] = []
  const limiter = createLimiter({
    name: 'failover',
    limit: 100_000,
    window: '1m',
    client: () => ({ plain: 'a' }),
    store: redis(client),
    timeout: 200,
    onStoreError: ({ code }) => errors.push(code),
  })
  const check = () => limiter.check(new Request('https://example.com/'))
  const sources = new Set<string>()
  expect((await check()).source).toBe('store')

  let over = false
  const failing = servers.failOver().then(() => {
    over = true
  })
  while (!over) {
    sources.add((await check()).source)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await failing
  expect(sources).toContain('local')
  expect(errors.length).toBeGreaterThan(0)

  let source = 'local'
  for (let attempt = 0; attempt < 500 && source === 'local'; attempt++) {
    source = (await check()).source
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(source).toBe('store')
  const keys = await client.keys('ratelimit:*')
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0)
})
