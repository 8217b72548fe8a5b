import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { type Subject, WINDOW } from './subject.ts'

const LIMIT = 10

export function subject(): Subject {
  const app = new Hono()
  app.use(
    rateLimiter({
      limit: LIMIT,
      windowMs: WINDOW,
      keyGenerator: (c) => c.req.header('x-client') ?? '',
    }),
  )
  app.get('/', (c) => c.text('ok'))
  const remaining = async (client: string) => {
    const { headers } = await app.request('/', { headers: { 'x-client': client } })
    return Number(headers.get('RateLimit-Remaining'))
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
