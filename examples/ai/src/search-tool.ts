import { tool } from 'ai'
import { createLimiter, type Store } from 'tidegate'
import { z } from 'zod'

/** Returns a function that makes the tool of a user, who may search three times in a minute. */
export function searchTool(store: Store, search: (query: string) => Promise<readonly string[]>) {
  const limiter = createLimiter({ name: 'search', limit: 3, window: '1m', store })

  return (user: string) =>
    tool({
      description:
        'Searches the web. If the result has `retryAfterSeconds`, do not search again before. ' +
        'Answer with what you have, or tell the user how long to wait.',
      inputSchema: z.object({ query: z.string() }),
      async execute({ query }) {
        const { allowed, retryIn } = await limiter.take(user)
        if (allowed) return { results: await search(query) }
        return { error: 'rate_limited', retryAfterSeconds: Math.ceil(retryIn / 1000) }
      },
    })
}
