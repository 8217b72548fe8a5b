import { Redis } from 'ioredis'
import { spawnRedis } from '../../tests/support/redis-server.ts'
import { type Program, startProgram } from '../measure/program.ts'

/** Where a limiter finds its store. */
export interface Place {
  /** The gateway that speaks Upstash's REST protocol. */
  readonly url: string
  readonly token: string
  /** The same Redis over TCP. */
  readonly redisUrl: string
}

/** What a piece of work cost the store. */
export interface Cost<Result> {
  readonly result: Result
  /** Commands as Upstash bills them: each one sent, and each one inside a script. */
  readonly commands: number
  /** HTTP requests that reached the gateway. */
  readonly requests: number
}

/** A real Redis, our gateway in front of it, and what they were asked. */
export interface Backend {
  readonly near: Place
  /** The same store, one trip of `TRIP_MS` away. */
  readonly far: Place
  /** A connection of the bench's own. */
  readonly redis: Redis
  /** Forgets all keys. Scripts stay, as they do on a server that runs for months. */
  empty(): Promise<void>
  /** Does some work, and says what it cost. Work left in the background is not waited for. */
  count<Result>(work: () => Promise<Result>): Promise<Cost<Result>>
  /**
   * The sum of all counters whose names hold the client's.
   * @default all counters
   */
  counted(client?: string): Promise<number>
  stop(): Promise<void>
}

/** How far away the far store is, there and back. */
export const TRIP_MS = 30

export async function startBackend(): Promise<Backend> {
  const server = await spawnRedis()
  const redis = new Redis(server.url)
  const file = new URL('gateway-process.ts', import.meta.url)
  const { program, said } = await startProgram(file, [server.url, `${TRIP_MS / 2}`])
  const { url, token, far, farRedis } = said as Record<'url' | 'token' | 'far' | 'farRedis', string>

  return {
    near: { url, token, redisUrl: server.url },
    far: { url: far, token, redisUrl: farRedis },
    redis,
    empty: async () => {
      await redis.flushall()
    },
    async count(work) {
      const before = await requestsOf(program)
      await redis.config('RESETSTAT')
      const result = await work()
      const commands = callsIn(await redis.info('commandstats'))
      return { result, commands, requests: (await requestsOf(program)) - before }
    },
    async counted(client = '') {
      const keys = await redis.keys(`*${client}*`)
      const values = await Promise.all(keys.map((key) => redis.get(key)))
      return values.reduce((sum, value) => sum + Number(value), 0)
    },
    async stop() {
      await program.stop()
      redis.disconnect()
      await server.stop()
    },
  }
}

const requestsOf = async (gateway: Program) =>
  ((await gateway.ask({})) as { readonly requests: number }).requests

/** All calls but those of the counting itself. */
function callsIn(info: string): number {
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
  return [...lines]
    .filter(([, name = '']) => name !== 'info' && !name.startsWith('config'))
    .reduce((sum, [, , calls]) => sum + Number(calls), 0)
}
