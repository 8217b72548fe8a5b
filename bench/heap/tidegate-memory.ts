import { createLimiter, memory } from 'tidegate'
import { byRemaining, LIMIT, type Subject, WINDOW } from './subject.ts'

export function subject(): Subject {
  const limiter = createLimiter({
    limit: LIMIT,
    window: WINDOW,
    store: memory(),
    client: (request) => ({ plain: request.headers.get('x-client') ?? '' }),
  })
  return byRemaining(async (client) => {
    const request = new Request('http://localhost/', { headers: { 'x-client': client } })
    return (await limiter.check(request)).policy?.remaining
  })
}
