import { Redis } from 'ioredis'
import { spawnRedis } from '../../tests/support/redis-server.ts'
import { startProgram } from '../measure/program.ts'
import type { StorePlace } from './isolates.ts'
import type { StoreAnswer, StoreQuestion } from './store-process.ts'

/** A real Redis, our gateway, and fault proxies around the gateway. */
export interface SoakedStore {
  /** Where each isolate finds it. */
  readonly places: readonly StorePlace[]
  /** Sets faults, and returns what is counted. */
  ask(question: StoreQuestion): Promise<StoreAnswer>
  /** How many keys there are, and those without an expiry. */
  keys(): Promise<{ readonly count: number; readonly withoutExpiry: readonly string[] }>
  stop(): Promise<void>
}

export async function startStore(isolates: number, seed: number): Promise<SoakedStore> {
  const server = await spawnRedis()
  const redis = new Redis(server.url)
  const file = new URL('store-process.ts', import.meta.url)
  const { program, said } = await startProgram(file, [server.url, `${isolates}`, `${seed}`])
  const { urls, token } = said as { readonly urls: readonly string[]; readonly token: string }
  /** The program answers one question at a time. */
  let before: Promise<unknown> = Promise.resolve()

  return {
    places: urls.map((url) => ({ url, token })),
    ask(question) {
      const answer = before.then(() => program.ask(question))
      before = answer.catch(() => {})
      return answer as Promise<StoreAnswer>
    },
    async keys() {
      const keys = await redis.keys('*')
      const withoutExpiry: string[] = []
      for (const key of keys) if ((await redis.pttl(key)) === -1) withoutExpiry.push(key)
      return { count: keys.length, withoutExpiry }
    },
    async stop() {
      await program.stop()
      redis.disconnect()
      await server.stop()
    },
  }
}
