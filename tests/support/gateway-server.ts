import { Redis } from 'ioredis'
import type { Clock } from '../../src/clock.ts'
import { redisBackend } from '../../src/gateway/backend.ts'
import { commandFilter } from '../../src/gateway/command-filter.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import type { GatewayRequest } from '../../src/gateway/http.ts'
import { listen } from '../../src/gateway/server.ts'
import { likeUpstash } from './like-upstash.ts'
import { pause } from './pause.ts'

/** A gateway that listens, and counts what arrives. */
export interface GatewayServer {
  readonly url: string
  readonly token: string
  /** A connection of the test's own to the same Redis. */
  readonly redis: Redis
  /** How many HTTP requests arrived, and how many of them contained the text of a script. */
  readonly seen: { requests: number; scripts: number }
  /** The lines of its log. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

export interface GatewayServerOptions {
  /** Accepts the header for key locking, as Upstash does and Redis does not. */
  readonly upstash?: boolean
  /**
   * The commands that pass besides the default commands.
   * @default ['all']
   */
  readonly allow?: readonly string[]
  /** How long to wait for a reply of Redis, in ms. */
  readonly socketTimeout?: number
  /** Logs every request, too. */
  readonly verbose?: boolean
  /** Measures how long outages last. */
  readonly clock?: Clock
}

/** Starts a gateway on a free loopback port, in front of the Redis at `redisUrl`. */
export async function startGateway(
  redisUrl: string,
  options: GatewayServerOptions = {},
): Promise<GatewayServer> {
  const { upstash = false, allow = ['all'], socketTimeout = 5000, verbose = false, clock } = options
  const redis = new Redis(redisUrl)
  redis.on('error', () => {})
  const log: string[] = []
  const write = (line: string) => log.push(line)
  // No PING: some tests count the commands that Redis gets.
  const backend = redisBackend(redisUrl, {
    log: write,
    socketTimeout,
    pingInterval: 3_600_000,
    clock,
  })
  const token = crypto.randomUUID()
  const handle = gateway({
    redis: backend,
    tokens: [token],
    commandFilter: commandFilter(allow),
    log: verbose ? write : undefined,
  })
  const seen = { requests: 0, scripts: 0 }

  const counted = (request: GatewayRequest): GatewayRequest => {
    seen.requests++
    return {
      ...request,
      async body() {
        const text = (await request.body()).toString('latin1')
        if (/\["eval"/i.test(text)) seen.scripts++
        return Buffer.from(upstash ? likeUpstash(text) : text, 'latin1')
      },
    }
  }
  const server = await listen({
    handle: (request) => handle(counted(request)),
    host: '127.0.0.1',
    port: 0,
  })
  while (!backend.isAvailable) await pause(5)
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
