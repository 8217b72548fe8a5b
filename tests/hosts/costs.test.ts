/** docs/costs.md is what the command writes, and Redis bills what `tidegate cost` estimates. */
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { Redis as Upstash } from '@upstash/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { fillIn, plot } from '../../bench/costs/document.ts'
import { estimateAll, estimatedOf, measureAll } from '../../bench/costs/measure-all.ts'
import { ASSUMED } from '../../src/cost/prices.ts'
import { redis as redisOverTcp } from '../../src/stores/redis.ts'
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

test('a count takes as many bytes of Redis as the documents say', async () => {
  const server = await spawnRedis()
  const redis = new Redis(server.url)
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  try {
    const before = await used()
    const keys = 100_000
    const pipeline = redis.pipeline()
    for (let key = 0; key < keys; key++) {
      const address = `203.${100 + (key >> 12)}.${(key >> 6) & 63}.${key & 63}`
      pipeline.set(`ratelimit:${address}`, 5, 'PX', 3_600_000)
    }
    await pipeline.exec()
    // Redis enlarges its tables in the background.
    await redis.ping()
    const each = ((await used()) - before) / keys
    const alone = await redis.memory('USAGE', 'ratelimit:203.100.1.7')
    console.log(`a count: ${each.toFixed(1)} bytes, MEMORY USAGE: ${alone}`)
    expect(Math.abs(each - ASSUMED.bytesPerKey)).toBeLessThan(10)
    expect(alone).toBe(72)
    for (const page of ['docs/costs.md', 'examples/monitoring/README.md']) {
      const text = readFileSync(page, 'utf8').replaceAll(/\s+/g, ' ')
      expect(text, page).toContain(`${ASSUMED.bytesPerKey} bytes of Redis`)
    }
  } finally {
    redis.disconnect()
    await server.stop()
  }
})

/** Counts the bytes that a port of this machine gets and sends. */
async function startRelay(port: number) {
  let bytes = 0
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1')
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
  return {
    port: await listenLocally(relay),
    async bytesOf(call: () => Promise<unknown>) {
      bytes = 0
      await call()
      return bytes
    },
    stop: () => relay.close(),
  }
}

const demandOf = (client: string) => ({
  policy: 'api',
  client,
  limit: 100,
  window: 60_000,
  cost: 1,
})
const SEEN = { observed: { used: 1, isOpen: () => true } }

test('a call takes no more bytes of Redis’ protocol than is assumed, with the heads of packets', async () => {
  const relay = await startRelay(Number(new URL(inject('redisUrl')).port))
  const redis = new Redis(`redis://127.0.0.1:${relay.port}`)
  // Ethernet, IPv4, and TCP with timestamps, for a command, its answer, and their confirmations.
  const heads = 4 * (14 + 20 + 32)
  try {
    const demand = demandOf(`costs-${crypto.randomUUID()}`)
    const store = redisOverTcp(redis)
    await store.take([demand])
    for (const call of [() => store.take([demand]), () => store.take([demand], SEEN)]) {
      const bytes = await relay.bytesOf(call)
      expect(bytes).toBeGreaterThan(50)
      expect(bytes + heads).toBeLessThan(ASSUMED.bytesPerRedisCall)
    }
  } finally {
    redis.disconnect()
    relay.stop()
  }
})

test('a call takes no more bytes of HTTP than is assumed', async () => {
  const { url, token } = inject('gateway')
  const relay = await startRelay(Number(new URL(url).port))
  const here = { url: `http://127.0.0.1:${relay.port}`, token }
  try {
    const client = `costs-${crypto.randomUUID()}`
    const demand = demandOf(client)
    const store = upstash(here)
    const redis = new Upstash(here)
    // The text of the script is sent once.
    await store.take([demand])
    for (const call of [
      () => store.take([demand]),
      () => store.take([demand], SEEN),
      () => redis.get(client),
      () => redis.set(client, 1, { ex: 60 }),
    ]) {
      const bytes = await relay.bytesOf(call)
      expect(bytes).toBeGreaterThan(100)
      expect(bytes).toBeLessThan(ASSUMED.bytesPerCall)
    }
  } finally {
    relay.stop()
  }
})
