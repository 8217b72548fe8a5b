import { RateLimiterMemory } from 'rate-limiter-flexible'
import { type Subject, WINDOW } from './subject.ts'

const LIMIT = 10

export function subject(): Subject {
  const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW / 1000 })
  const remaining = async (client: string) => (await limiter.consume(client)).remainingPoints
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
