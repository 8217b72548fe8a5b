import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker, type WorkerOptions } from '../../scripts/workerd.ts'
import { startGateway } from '../support/gateway-server.ts'
import { startOrigin } from '../support/origin.ts'

const LIMIT = 100
const REQUESTS = 1000
const HOUR = 3_600_000

const redis = new Redis(inject('redisUrl'))
const origin = await startOrigin()
const plain = await startGateway(inject('redisUrl'))
const upstash = await startGateway(inject('redisUrl'), { upstash: true })
afterAll(async () => {
  await Promise.all([origin.stop(), plain.stop(), upstash.stop()])
  redis.disconnect()
})

const policies = [{ name: 'exact', limit: LIMIT, window: '1m' }]
const variables = ({ url, token }: { readonly url: string; readonly token: string }) => ({
  POLICIES: policies,
  ORIGIN_URL: origin.url,
  UPSTASH_REDIS_REST_URL: url,
  UPSTASH_REDIS_REST_TOKEN: token,
})

/**
 * The Worker of this repository over a store. A thousand requests, their origin and the gateway all
 * share this machine's few cores: that a check may wait for longer than a second keeps the deadline,
 * which has tests of its own, out of this one.
 */
const entry = (store: string, more = '') => `
  import { upstash } from './src/stores/upstash.ts'
  import { front } from './src/worker.ts'
  ${more}
  export default front({
    timeout: '30s',
    store: ({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token }) => ${store},
  })`

/** Built as an upload is, for an isolate whose clock shows what `now` says. */
const build = (contents: string, now = 'now()') =>
  bundle({
    banner: { js: `{ const now = Date.now; Date.now = () => ${now} }` },
    stdin: { contents, loader: 'ts', resolveDir: process.cwd() },
    external: ['node:*', 'crypto'],
  })

const overGateway = entry('upstash({ url, token })')
/** Upstash's own address would tell as much. */
const overUpstash = entry('upstash({ url, token }, { keyLocking: true })')

const overVercelKv = entry(
  'vercelKv(createClient({ url, token }), { keyLocking: true })',
  `import { createClient } from '@vercel/kv'
  import { vercelKv } from './src/stores/vercel-kv.ts'`,
)

/** Sends all requests at once, as one client, over all isolates in turn. */
async function storm(isolates: readonly WorkerOptions[], client: string) {
  const workers = await Promise.all(isolates.map(startWorker))
  try {
    const send = async (index: number) => {
      const headers = { 'cf-connecting-ip': client }
      const response = await workers[index % workers.length]?.fetch('/', { headers })
      await response?.arrayBuffer()
      return response
    }
    const before = origin.requests.length
    const start = performance.now()
    const responses = await Promise.all(Array.from({ length: REQUESTS }, (_, i) => send(i)))
    const passed = responses.filter((response) => response?.status === 200).length
    const refused = responses.filter((response) => response?.status === 429).length
    // No trip took longer. What an isolate tells may be late by one.
    const trip = performance.now() - start

    const key = `ratelimit:exact:${client}`
    const leftBefore = await redis.pttl(key)
    const waits = await Promise.all(
      workers.map(async (_, index) => Number((await send(index))?.headers.get('retry-after'))),
    )
    const leftAfter = await redis.pttl(key)
    return {
      passed,
      refused,
      reached: origin.requests.length - before,
      counted: Number(await redis.get(key)),
      waits,
      right: { from: Math.ceil(leftAfter / 1000), to: Math.ceil((leftBefore + 1 + trip) / 1000) },
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
    await redis.del(`ratelimit:exact:${client}`)
  }
}

const exactly = { passed: LIMIT, refused: REQUESTS - LIMIT, reached: LIMIT, counted: LIMIT }

describe('of 1,000 requests at once over four isolates exactly the limit of 100 passes', () => {
  const same = (script: string, env: object) => Array(4).fill({ script, env }) as WorkerOptions[]

  test('over Upstash', async () => {
    const isolates = same(await build(overUpstash), variables(upstash))
    expect(await storm(isolates, '203.0.113.1')).toMatchObject(exactly)
  })

  test('over self-hosted Redis behind the gateway', async () => {
    const isolates = same(await build(overGateway), variables(plain))
    expect(await storm(isolates, '203.0.113.2')).toMatchObject(exactly)
  })

  test('over the client of Vercel KV', async () => {
    const script = await build(overVercelKv)
    const isolates = same(script, variables(upstash)).map((isolate) => ({
      ...isolate,
      nodejsCompat: true,
    }))
    expect(await storm(isolates, '203.0.113.3')).toMatchObject(exactly)
  })

  test('with their clocks an hour slow, right, an hour fast and frozen', async () => {
    const clocks = [`now() - ${HOUR}`, 'now()', `now() + ${HOUR}`, '1']
    const env = variables(upstash)
    const isolates = await Promise.all(
      clocks.map(async (now) => ({ script: await build(overUpstash, now), env })),
    )
    const { waits, right, ...counts } = await storm(isolates, '203.0.113.4')
    expect(counts).toMatchObject(exactly)
    const frozen = waits.pop()
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(right.from)
      expect(wait).toBeLessThanOrEqual(right.to)
    }
    // A clock that stands still tells the time that was left when the isolate last asked.
    expect(frozen).toBeGreaterThanOrEqual(right.from)
    expect(frozen).toBeLessThanOrEqual(60)
  })
})

test('once warm, checks and HTTP requests to the store are equal in number, and none brings the script', async () => {
  for (const [gateway, store] of [
    [plain, overGateway],
    [upstash, overUpstash],
  ] as const) {
    const script = await build(store)
    const isolate = await startWorker({ script, env: variables(gateway) })
    try {
      const headers = { 'cf-connecting-ip': '203.0.113.5' }
      await isolate.fetch('/', { headers })
      const before = { ...gateway.seen }
      for (let check = 0; check < 50; check++) await isolate.fetch('/', { headers })
      await Promise.all(Array.from({ length: 100 }, () => isolate.fetch('/', { headers })))
      expect(gateway.seen.requests - before.requests).toBe(150)
      expect(gateway.seen.scripts - before.scripts).toBe(0)
    } finally {
      await isolate.stop()
      await redis.del('ratelimit:exact:203.0.113.5')
    }
  }
})
