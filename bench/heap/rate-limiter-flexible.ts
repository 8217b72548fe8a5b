import { RateLimiterMemory } from 'rate-limiter-flexible'
import { byRemaining, LIMIT, type Subject, WINDOW } from './subject.ts'

export function subject(): Subject {
  const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW / 1000 })
  return byRemaining(async (client) => (await limiter.consume(client)).remainingPoints)
}
