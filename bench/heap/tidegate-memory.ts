import { createLimiter, memory } from 'tidegate'
import { type Subject, WINDOW } from './subject.ts'

const LIMIT = 10

export function subject(): Subject {
  const limiter = createLimiter({
    limit: LIMIT,
    window: WINDOW,
    store: memory(),
    client: (request) => ({ plain: request.headers.get('x-client') ?? '' }),
  })
  const remaining = async (client: string) => {
    const request = new Request('http://localhost/', { headers: { 'x-client': client } })
    return (await limiter.check(request)).policy?.remaining
  }
  return {
    async ask(client) {
      if ((await remaining(client)) !== LIMIT - 1) throw new Error('not the first of this client')
    },
    async prove(first, last) {
      const knowsLast = (await remaining(last)) === LIMIT - 2
      return { first: (await remaining(first)) === LIMIT - 2, last: knowsLast }
    },
  }
}
