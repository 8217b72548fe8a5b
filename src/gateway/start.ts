import { redisBackend } from './backend.ts'
import { gateway } from './gateway.ts'
import { listen } from './server.ts'
import type { Settings } from './settings.ts'

/** How long the gateway waits for requests in flight when it stops. */
const SHUTDOWN_GRACE_MS = 10_000

/** A gateway that runs. */
export interface RunningGateway {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the gateway, also while Redis is unavailable. Rejects if it cannot listen. */
export async function startGateway(
  { redis: redisUrl, host, port, tokens, commandFilter, tls, verbose }: Settings,
  log: (line: string) => void,
): Promise<RunningGateway> {
  const redis = redisBackend(redisUrl, { log })
  const handle = gateway({ redis, tokens, commandFilter, log: verbose ? log : undefined })
  try {
    const server = await listen({ handle, host, port, tls })
    const isExposed = tls === undefined && !['127.0.0.1', '::1', 'localhost'].includes(host)
    log(
      `listening on ${server.url} for the Redis at ${new URL(redisUrl).host}` +
        (isExposed ? '; plain HTTP, so keep it on a private network or behind TLS' : ''),
    )
    return {
      url: server.url,
      async stop() {
        await server.stop(SHUTDOWN_GRACE_MS)
        await redis.stop()
        log('stopped')
      },
    }
  } catch (error) {
    await redis.stop()
    throw error
  }
}
