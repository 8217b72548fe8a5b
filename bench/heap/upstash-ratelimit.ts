import { Redis } from '@upstash/redis'
import { Ratelimit } from 'upstash-ratelimit-2.2.0'
import { type Subject, WINDOW } from './subject.ts'

/** A Redis in which every client is over its limit: two of one used. So its cache keeps each. */
class Exhausted extends Redis {
  override evalsha = async <Data>() => [2, 1] as Data
}

export function subject(): Subject {
  const limiter = new Ratelimit({
    redis: new Exhausted({ url: 'https://localhost', token: 'none', enableAutoPipelining: false }),
    limiter: Ratelimit.fixedWindow(1, `${WINDOW} ms`),
  })
  const sourceFor = async (client: string) => {
    const { success, reason } = await limiter.limit(client)
    return success ? 'allowed' : (reason ?? 'store')
  }
  return {
    async ask(client) {
      const said = await sourceFor(client)
      if (said !== 'store') throw new Error(`not the first of this client: ${said}`)
    },
    async prove(first, last) {
      const knowsLast = (await sourceFor(last)) === 'cacheBlock'
      return { first: (await sourceFor(first)) === 'cacheBlock', last: knowsLast }
    },
  }
}
