/** docs/costs.md is what the command writes, and Redis bills what `tidegate cost` estimates. */
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { Redis as Upstash } from '@upstash/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { fillIn, plot } from '../../bench/costs/document.ts'
import { estimateAll, estimatedOf, measureAll } from '../../bench/costs/measure-all.ts'
import { ASSUMED } from '../../src/cost/prices.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { listenLocally } from '../support/listen.ts'
import { spawnRedis } from '../support/redis-server.ts'

const cases = await estimateAll()

test('docs/costs.md and docs/costs.svg show what is estimated now: npm run costs', () => {
  const page = readFileSync('docs/costs.md', 'utf8')
  const measured = JSON.parse(readFileSync('bench/results/costs.json', 'utf8'))
  expect(fillIn(page, cases, measured)).toBe(page)
  expect(plot(cases)).toBe(readFileSync('docs/costs.svg', 'utf8'))
})

// A busy machine sends requests late, and late requests meet each other.
test('Redis bills what is estimated, within 10 %, in all three cases', { retry: 1 }, async () => {
  // GET, then SET refuses the customers of the API after half a minute: `npm run costs` waits.
  const isQuick = (name: string, limiter: string) => name !== 'api' || limiter !== 'getSet'
  const found = await measureAll(cases, isQuick)
  expect(found).toHaveLength(8)
  for (const one of found) {
    const { name, limiter, measured } = one
    const estimated = estimatedOf(cases, one)
    console.log(`${name}, ${limiter}: ${estimated.toFixed(3)}, measured ${measured.toFixed(3)}`)
    expect(estimated / measured, `${name}, ${limiter}`).toBeGreaterThan(0.9)
    expect(estimated / measured, `${name}, ${limiter}`).toBeLessThan(1.1)
  }
})

test('a key takes no more bytes of Redis than is assumed', async () => {
  const server = await spawnRedis()
  const redis = new Redis(server.url)
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  try {
    const before = await used()
    const keys = 20_000
    const pipeline = redis.pipeline()
    for (let key = 0; key < keys; key++) {
      pipeline.set(`ratelimit:api:2001:db8:${key.toString(16)}:ffff::/64`, 100, 'PX', 3_600_000)
    }
    await pipeline.exec()
    const each = ((await used()) - before) / keys
    expect(each).toBeGreaterThan(50)
    expect(each).toBeLessThan(ASSUMED.bytesPerKey)
  } finally {
    redis.disconnect()
    await server.stop()
  }
})

test('a call takes no more bytes of HTTP than is assumed', async () => {
  const { url, token } = inject('gateway')
  let bytes = 0
  const relay = createServer((near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        bytes += chunk.length
        to.write(chunk)
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  const here = { url: `http://127.0.0.1:${await listenLocally(relay)}`, token }
  try {
    const client = `costs-${crypto.randomUUID()}`
    const demand = { policy: 'api', client, limit: 100, window: 60_000, cost: 1 }
    const store = upstash(here)
    const redis = new Upstash(here)
    // The text of the script is sent once.
    await store.take([demand])
    for (const call of [
      () => store.take([demand]),
      () => store.take([demand], { observed: { used: 1, isOpen: () => true } }),
      () => redis.get(client),
      () => redis.set(client, 1, { ex: 60 }),
    ]) {
      bytes = 0
      await call()
      expect(bytes).toBeGreaterThan(100)
      expect(bytes).toBeLessThan(ASSUMED.bytesPerCall)
    }
  } finally {
    relay.close()
  }
})
