/** Servers and proxies quote keys in their errors. A key names a client. */
import { describe, expect, test } from 'vitest'
import { type Batching, batching, upstash } from '../../src/stores/upstash.ts'

const CLIENT = '203.0.113.77'
const demand = { policy: 'login', client: CLIENT, limit: 5, window: 60_000, cost: 1 }

const TEXTS = [
  `ERR key ratelimit:login:${CLIENT} is locked`,
  `ERR the proxy refused INCRBY ratelimit:login:${CLIENT} 1`,
  `NOPERM User app has no permissions to access the 'ratelimit:login:${CLIENT}' key`,
  `WRONGTYPE ratelimit:login:${CLIENT} holds a list`,
  `ERR client ${CLIENT} asks too often`,
]

/** A store whose server answers every command with this error. */
function storeOf(text: string, batch?: Batching) {
  const answer = async (_: unknown, init?: RequestInit) => {
    const commands: unknown = JSON.parse(String(init?.body))
    const isBatch = Array.isArray(commands) && Array.isArray(commands[0])
    return Response.json(isBatch ? commands.map(() => ({ error: text })) : { error: text })
  }
  const fetch = answer as typeof globalThis.fetch
  return upstash({ url: 'https://redis.example.com', token: 'token' }, { fetch, batch })
}

describe('an error of the store contains no key and no client', () => {
  for (const text of TEXTS) {
    for (const batch of [undefined, batching({ wait: 0 })]) {
      test(`${text}${batch ? ', in a batch' : ''}`, async () => {
        const works: Promise<unknown>[] = []
        const waitUntil = (work: Promise<unknown>) => void works.push(work)
        const error: unknown = await storeOf(text, batch)
          .take([demand], { waitUntil })
          .catch((thrown: unknown) => thrown)
        await Promise.all(works)
        const shown = `${error} ${(error as Error).cause} ${JSON.stringify(error)}`
        expect(shown).toContain('upstash')
        expect(shown).not.toContain(CLIENT)
      })
    }
  }
})
