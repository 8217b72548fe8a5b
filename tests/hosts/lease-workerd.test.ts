import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { startGateway } from '../support/gateway-server.ts'
import { pause } from '../support/pause.ts'
import { spawnRedis } from '../support/redis-server.ts'

const LIMIT = 1000
const ISOLATES = 4

const server = await spawnRedis()
const redis = new Redis(server.url)
const gateway = await startGateway(server.url)
const script = await bundle({
  stdin: {
    loader: 'ts',
    resolveDir: process.cwd(),
    contents: `
      import { createLimiter } from './src/index.ts'
      import { upstash } from './src/stores/upstash.ts'
      let limiter
      export default {
        async fetch(request, env, context) {
          limiter ??= createLimiter({
            limit: ${LIMIT},
            window: '1m',
            lease: true,
            client: () => ({ plain: 'hot' }),
            store: upstash({ url: env.URL, token: env.TOKEN }),
            timeout: '30s',
          })
          const waitUntil = (work) => context.waitUntil(work)
          const { allowed, source } = await limiter.check(request, { env, waitUntil })
          return Response.json({ allowed, source })
        },
      }`,
  },
})
const env = { URL: gateway.url, TOKEN: gateway.token }
const workers = await Promise.all(
  Array.from({ length: ISOLATES }, () => startWorker({ script, env })),
)
afterAll(async () => {
  await Promise.all(workers.map(({ stop }) => stop()))
  await gateway.stop()
  redis.disconnect()
  await server.stop()
})

describe('leases of four isolates of workerd, for one client who asks for twice the limit', () => {
  test('pass the limit and not one more, at less than a command a check and most without a trip', async () => {
    const sources = new Map<string, number>()
    let passed = 0
    for (let round = 0; round < 50; round++) {
      const answers = await Promise.all(
        Array.from({ length: (2 * LIMIT) / 50 }, async (_, n) => {
          const response = await workers[n % ISOLATES]?.fetch('/')
          return (await response?.json()) as { allowed: boolean; source: string }
        }),
      )
      for (const { allowed, source } of answers) {
        if (!allowed) continue
        passed++
        sources.set(source, (sources.get(source) ?? 0) + 1)
      }
      await pause(100)
    }
    expect(passed).toBeLessThanOrEqual(LIMIT)
    expect(passed).toBeGreaterThanOrEqual(LIMIT * 0.99)
    expect(sources.get('lease')).toBeGreaterThan(LIMIT / 2)
    const stats = await redis.info('commandstats')
    const billed = [...stats.matchAll(/cmdstat_(?:evalsha|get|set|pttl|incrby):calls=(\d+)/g)]
    const commands = billed.reduce((sum, [, calls]) => sum + Number(calls), 0)
    expect(commands).toBeGreaterThan(0)
    expect(commands / passed).toBeLessThan(0.8)
    expect(Number(await redis.get('ratelimit:hot'))).toBeGreaterThanOrEqual(passed)
  })
})
