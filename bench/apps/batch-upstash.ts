import { Redis } from '@upstash/redis/cloudflare'
import { Ratelimit } from 'upstash-ratelimit-2.2.0'
import { type BatchEnv, clientIn } from './batch-env.ts'

let limiter: Ratelimit | undefined

export default {
  async fetch(
    request: Request,
    { URL: url, TOKEN: token, limit, window }: BatchEnv,
    context: { waitUntil(work: Promise<unknown>): void },
  ): Promise<Response> {
    limiter ??= new Ratelimit({
      redis: new Redis({ url, token }),
      limiter: Ratelimit.fixedWindow(limit, `${window} ms`),
    })
    const { success, reason, pending } = await limiter.limit(clientIn(request))
    context.waitUntil(pending)
    return new Response(success && reason === undefined ? 'allowed' : `${success} by ${reason}`)
  },
}
