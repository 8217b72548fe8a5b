import { serve } from '@hono/node-server'
import { Redis } from 'ioredis'
import { gateway } from '../../src/gateway/gateway.ts'
import { likeUpstash } from './like-upstash.ts'

/** A gateway that listens, and counts what arrives. */
export interface GatewayServer {
  readonly url: string
  readonly token: string
  readonly redis: Redis
  /** How many HTTP requests came, and how many of them brought the text of a script. */
  readonly seen: { requests: number; scripts: number }
  stop(): Promise<void>
}

export interface GatewayServerOptions {
  /** Takes the header that locks keys, as Upstash does and Redis does not. */
  readonly upstash?: boolean
}

/** Starts a gateway on a free loopback port, in front of the Redis at `redisUrl`. */
export async function startGateway(
  redisUrl: string,
  { upstash = false }: GatewayServerOptions = {},
): Promise<GatewayServer> {
  const redis = new Redis(redisUrl)
  const token = crypto.randomUUID()
  const app = gateway({ redis, token })
  const seen = { requests: 0, scripts: 0 }

  const count = async (request: Request): Promise<Request> => {
    seen.requests++
    if (request.method !== 'POST') return request
    const body = await request.text()
    if (/\["eval"/i.test(body)) seen.scripts++
    return new Request(request, { body: upstash ? likeUpstash(body) : body })
  }
  const server = serve({
    fetch: async (request) => app.fetch(await count(request)),
    hostname: '127.0.0.1',
    port: 0,
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    redis,
    seen,
    async stop() {
      await new Promise((resolve) => {
        server.close(resolve)
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
      redis.disconnect()
    },
  }
}
