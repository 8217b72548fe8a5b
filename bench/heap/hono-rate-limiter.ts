import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { byRemaining, LIMIT, type Subject, WINDOW } from './subject.ts'

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
  return byRemaining(async (client) => {
    const { headers } = await app.request('/', { headers: { 'x-client': client } })
    return Number(headers.get('RateLimit-Remaining'))
  })
}
