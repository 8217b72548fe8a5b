import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { createLimiter, type Store } from '../../src/index.ts'
import { redisFromUrl } from '../../src/stores/redis-protocol/redis-url.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { BUSY } from '../support/busy.ts'
import { startGateway } from '../support/gateway-server.ts'
import { freePort } from '../support/listen.ts'
import { pause } from '../support/pause.ts'
import { type RedisServer, spawnRedis } from '../support/redis-server.ts'

/** What may happen to a Redis while it counts. */
const FAULTS: Readonly<Record<string, (redis: Redis, server: Restartable) => Promise<unknown>>> = {
  FLUSHALL: (redis) => redis.flushall(),
  'SCRIPT FLUSH': (redis) => redis.call('SCRIPT', 'FLUSH'),
  'a crash and a restart': async (_, server) => {
    await server.current.stop('SIGKILL')
    await pause(100)
    server.current = await spawnRedis({ port: server.port })
  },
}

interface Restartable {
  readonly port: number
  current: RedisServer
}

describe('in the middle of traffic, no request fails and no key stays without expiry', () => {
  for (const [fault, happen] of Object.entries(FAULTS)) {
    for (const face of ['over TCP', 'over the gateway']) {
      test(`${fault}, ${face}`, async () => {
        const port = await freePort()
        const server: Restartable = { port, current: await spawnRedis({ port }) }
        const redis = new Redis(server.current.url).on('error', () => {})
        const gateway = await startGateway(server.current.url)
        const store: Store =
          face === 'over TCP' ? redisFromUrl('url', server.current.url) : upstash(gateway)
        const limiter = createLimiter({
          limit: 100_000,
          window: '1m',
          client: (request) => ({ plain: new URL(request.url).pathname }),
          store,
          timeout: 300,
          onStoreEvent: () => {},
        })
        let done = false
        let checks = 0
        const traffic = async (name: number) => {
          while (!done) {
            await limiter.check(new Request(`https://example.com/${name}/${checks % 5}`))
            checks++
            await pause(1)
          }
        }
        try {
          const clients = Array.from({ length: 8 }, (_, name) => traffic(name))
          await pause(100)
          await happen(redis, server)
          await pause(700)
          await expect.poll(() => checks, BUSY).toBeGreaterThan(100)
          done = true
          await Promise.all(clients)
          const { source } = await limiter.check(new Request('https://example.com/last'))
          expect(source).toBe('store')
          const keys = await redis.keys('ratelimit:*')
          expect(keys.length).toBeGreaterThan(0)
          for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0)
        } finally {
          done = true
          redis.disconnect()
          await gateway.stop()
          await server.current.stop()
        }
      })
    }
  }
})
