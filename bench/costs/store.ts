import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { spawnRedis } from '../../tests/support/redis-server.ts'

/** A Redis of its own, and clients that are a trip away from it. */
export interface FarRedis {
  /** Sends a command. Waits half a trip before it and after it. */
  send(name: string, ...args: readonly (string | number)[]): Promise<unknown>
  /** Forgets the commands that Redis has counted. */
  reset(): Promise<void>
  /** Commands since then as Upstash bills them: each, and each inside a script. */
  commands(): Promise<number>
  stop(): Promise<void>
}

export async function farRedis(tripMs: number): Promise<FarRedis> {
  const server = await spawnRedis()
  const redis = new Redis(server.url, { enableReadyCheck: false })
  return {
    async send(name, ...args) {
      await sleep(tripMs / 2)
      const answer = await redis.call(name, ...args)
      await sleep(tripMs / 2)
      return answer
    },
    reset: async () => void (await redis.config('RESETSTAT')),
    async commands() {
      const info = await redis.info('commandstats')
      return [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
        .filter(([, name = '']) => name !== 'info' && !name.startsWith('config'))
        .reduce((sum, [, , calls]) => sum + Number(calls), 0)
    },
    async stop() {
      redis.disconnect()
      await server.stop()
    },
  }
}
