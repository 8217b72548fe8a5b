import { Redis } from 'ioredis'
import type { Clock } from '../../src/clock.ts'
import { allowList } from '../../src/gateway/allow.ts'
import { redisBackend } from '../../src/gateway/backend.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import type { Ask } from '../../src/gateway/http.ts'
import { listen } from '../../src/gateway/server.ts'
import { likeUpstash } from './like-upstash.ts'

/** A gateway that listens, and counts what arrives. */
export interface GatewayServer {
  readonly url: string
  readonly token: string
  /** A connection of the test's own to the same Redis. */
  readonly redis: Redis
  /** How many HTTP requests came, and how many of them brought the text of a script. */
  readonly seen: { requests: number; scripts: number }
  /** What it logged. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

export interface GatewayServerOptions {
  /** Takes the header that locks keys, as Upstash does and Redis does not. */
  readonly upstash?: boolean
  /**
   * What passes beside the default commands.
   * @default ['all']
   */
  readonly allow?: readonly string[]
  /** How long Redis may be silent, in ms. */
  readonly silence?: number
  /** Logs every request, too. */
  readonly verbose?: boolean
  /** By which outages are timed. */
  readonly clock?: Clock
}

/** Starts a gateway on a free loopback port, in front of the Redis at `redisUrl`. */
export async function startGateway(
  redisUrl: string,
  options: GatewayServerOptions = {},
): Promise<GatewayServer> {
  const { upstash = false, allow = ['all'], silence = 5000, verbose = false, clock } = options
  const redis = new Redis(redisUrl)
  redis.on('error', () => {})
  const log: string[] = []
  const write = (line: string) => log.push(line)
  // No probe: some tests count what Redis is asked.
  const backend = redisBackend(redisUrl, { log: write, silence, probe: 3_600_000, clock })
  const token = crypto.randomUUID()
  const app = gateway({
    redis: backend,
    tokens: [token],
    allow: allowList(allow),
    log: verbose ? write : undefined,
  })
  const seen = { requests: 0, scripts: 0 }

  const counted = (ask: Ask): Ask => {
    seen.requests++
    return {
      ...ask,
      async body() {
        const text = (await ask.body()).toString('latin1')
        if (/\["eval"/i.test(text)) seen.scripts++
        return Buffer.from(upstash ? likeUpstash(text) : text, 'latin1')
      },
    }
  }
  const server = await listen({
    answer: (ask) => app(counted(ask)),
    host: '127.0.0.1',
    port: 0,
  })
  while (backend.away) await new Promise((resolve) => setTimeout(resolve, 5))
  return {
    url: server.url,
    token,
    redis,
    seen,
    log,
    async stop() {
      await server.stop(0)
      await backend.stop()
      redis.disconnect()
    },
  }
}
