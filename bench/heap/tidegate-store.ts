import { createLimiter } from 'tidegate'
import { redis } from 'tidegate/redis'
import { type Subject, WINDOW } from './subject.ts'

/**
 * With a limit of one every first request is granted and exhausts its client, which is all that a
 * Redis could answer here: granted 1, used 1, an hour to go. So the isolate keeps everything it ever
 * keeps of a client: that its window is open, that it is exhausted, and how hot its key is.
 */
const answer = async () => [1, 1, WINDOW, 0]

export function subject(): Subject {
  const limiter = createLimiter({
    limit: 1,
    window: WINDOW,
    lease: true,
    store: redis({ evalsha: answer, eval: answer, incrby: async () => 2 }),
    client: (request) => ({ plain: request.headers.get('x-client') ?? '' }),
  })
  const sourceFor = async (client: string) => {
    const request = new Request('http://localhost/', { headers: { 'x-client': client } })
    const { allowed, source } = await limiter.check(request)
    return `${source} ${allowed ? 'allows' : 'refuses'}`
  }
  return {
    async ask(client) {
      const said = await sourceFor(client)
      if (said !== 'store allows') throw new Error(`not the first of this client: ${said}`)
    },
    async prove(first, last) {
      const knowsLast = (await sourceFor(last)) === 'known refuses'
      return { first: (await sourceFor(first)) === 'known refuses', last: knowsLast }
    },
  }
}
