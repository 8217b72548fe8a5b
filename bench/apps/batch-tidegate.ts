import { createLimiter } from 'tidegate'
import { batching, upstash } from 'tidegate/upstash'
import { type BatchEnv, clientIn } from './batch-env.ts'

let limiter: ReturnType<typeof createLimiter> | undefined

export default {
  async fetch(
    request: Request,
    { URL: url, TOKEN: token, limit, window }: BatchEnv,
    context: { waitUntil(work: Promise<unknown>): void },
  ): Promise<Response> {
    limiter ??= createLimiter({
      limit,
      window,
      client: (asking) => ({ plain: clientIn(asking) }),
      store: upstash({ url, token }, { batch: batching({ wait: 2 }) }),
    })
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(work)
    const { allowed, source } = await limiter.check(request, { waitUntil })
    return new Response(allowed && source === 'store' ? 'allowed' : `${allowed} by ${source}`)
  },
}
