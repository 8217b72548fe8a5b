import { redisBackend } from './backend.ts'
import { gateway } from './gateway.ts'
import { listen } from './server.ts'
import type { Settings } from './settings.ts'

/** How long requests in flight may take to end when the gateway stops. */
const PATIENCE = 10_000

/** A gateway that runs. */
export interface Running {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the gateway, whether Redis is there or not. Rejects when it cannot listen. */
export async function startGateway(
  { redis: address, host, port, tokens, allow, tls, verbose }: Settings,
  log: (line: string) => void,
): Promise<Running> {
  const redis = redisBackend(address, { log })
  const answer = gateway({ redis, tokens, allow, log: verbose ? log : undefined })
  try {
    const server = await listen({ answer, host, port, tls })
    const open = tls === undefined && !['127.0.0.1', '::1', 'localhost'].includes(host)
    log(
      `listening on ${server.url} for the Redis at ${new URL(address).host}` +
        (open ? '; plain HTTP, so keep it on a private network or behind TLS' : ''),
    )
    return {
      url: server.url,
      async stop() {
        await server.stop(PATIENCE)
        await redis.stop()
        log('stopped')
      },
    }
  } catch (error) {
    await redis.stop()
    throw error
  }
}
