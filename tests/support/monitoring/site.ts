import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { createLimiter } from '../../../src/index.ts'
import { collector } from '../../../src/metrics/index.ts'
import { toWebRequest } from '../../../src/node.ts'
import { upstash } from '../../../src/stores/upstash.ts'
import { startGateway } from '../gateway-server.ts'
import { freePort, listenLocally } from '../listen.ts'
import { pause } from '../pause.ts'
import { spawnRedis } from '../redis-server.ts'

/** What goes wrong, and how it ends. */
interface Cause {
  begin(): Promise<unknown>
  end(): Promise<unknown>
}

export type CauseName = 'stopped' | 'slow' | 'failing' | 'full' | 'evicting' | 'unwatched'

const MAX_MEMORY_BYTES = 20 * 2 ** 20
/** How long the network takes while the store is slow. */
const SLOW_MS = 40
/** One in so many requests is of a client whose calls fail. */
const BROKEN_SHARE = 8

export const METRICS_TOKEN = 'a-token-of-the-tests'

/** A server with a limiter, under load, whose Redis is behind a gateway. Both serve metrics. */
export async function startSite() {
  const port = await freePort()
  const spawn = () => spawnRedis({ port, args: ['--maxmemory', `${MAX_MEMORY_BYTES}`] })
  let redis = await spawn()
  const direct = new Redis(redis.url, { retryStrategy: () => 50 })
  direct.on('error', () => {})
  const gateway = await startGateway(redis.url)

  let delayMs = 0
  const metrics = collector({ log: false })
  const limiter = createLimiter({
    limit: 1_000_000,
    window: '1h',
    store: upstash(gateway, {
      fetch: async (input, init) => {
        if (delayMs > 0) await pause(delayMs)
        return fetch(input, init)
      },
    }),
    onDecision: metrics.onDecision,
    onStoreEvent: metrics.onStoreEvent,
  })
  const checkAs = (client: string) =>
    limiter.check(new Request('http://site.test/'), { client: { plain: client } })
  let token = METRICS_TOKEN
  const server = createServer(async (request, response) => {
    const scraped = metrics.respond(toWebRequest(request), { token })
    response.writeHead(scraped.status, Object.fromEntries(scraped.headers))
    response.end(await scraped.text())
  })
  const app = `http://127.0.0.1:${await listenLocally(server)}`
  // A client whose key does not hold a count.
  await checkAs('broken')
  const [brokenKey = ''] = await direct.keys('ratelimit:*')

  let isRunning = true
  let hasBroken = false
  let isFilling = false
  async function load() {
    for (let request = 0; isRunning; request++) {
      const isBroken = hasBroken && request % BROKEN_SHARE === 0
      void checkAs(isBroken ? 'broken' : `client-${request % 100}`)
      await pause(10)
    }
  }
  async function fill() {
    for (let key = 0; isRunning; await pause(10)) {
      if (isFilling) await direct.set(`filler:${key++}`, 'x'.repeat(100_000)).catch(() => {})
    }
  }
  const working = Promise.all([load(), fill()])

  const causes: Readonly<Record<CauseName, Cause>> = {
    stopped: {
      begin: () => redis.stop('SIGKILL'),
      async end() {
        redis = await spawn()
      },
    },
    slow: {
      begin: async () => (delayMs = SLOW_MS),
      end: async () => (delayMs = 0),
    },
    failing: {
      async begin() {
        await direct.del(brokenKey)
        await direct.lpush(brokenKey, 'no count')
        hasBroken = true
      },
      async end() {
        hasBroken = false
        await direct.del(brokenKey)
      },
    },
    full: {
      /** Nothing is evicted, so Redis rejects writes while it uses more than maxmemory. */
      async begin() {
        for (let key = 0; key < 150; key++) {
          await direct.set(`filler:${key}`, 'x'.repeat(100_000))
        }
        await direct.config('SET', 'maxmemory', 15_000_000)
      },
      async end() {
        await direct.flushall()
        await direct.config('SET', 'maxmemory', MAX_MEMORY_BYTES)
      },
    },
    evicting: {
      async begin() {
        await direct.config('SET', 'maxmemory-policy', 'allkeys-lru')
        isFilling = true
      },
      async end() {
        isFilling = false
        await direct.flushall()
      },
    },
    /** The scraper has a wrong token. */
    unwatched: {
      begin: async () => (token = 'another-token'),
      end: async () => (token = METRICS_TOKEN),
    },
  }

  return {
    causes,
    /** Where the metrics are, by the name of the job in `examples/monitoring/prometheus.yml`. */
    jobs: {
      app: { url: `${app}/metrics`, token: METRICS_TOKEN },
      gateway: { url: `${gateway.url}/metrics`, token: gateway.token },
    },
    async stop() {
      isRunning = false
      await working
      server.close()
      server.closeAllConnections()
      await gateway.stop()
      direct.disconnect()
      await redis.stop()
    },
  }
}
