import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import type { Kind } from './request.ts'

const LIMIT = 100
const ok = (c: Context) => c.text('ok')
const clientOf = (c: Context) => c.req.header('cf-connecting-ip') ?? ''

/** The same requests through other limiters, as their own guides set them up. */
export function rivals(): readonly Kind[] {
  return [honoRateLimiter(), ...['window open', 'client exhausted'].map(upstashRatelimit)]
}

function honoRateLimiter(): Kind {
  const limiter = rateLimiter({ limit: LIMIT, windowMs: 60_000, keyGenerator: clientOf })
  return {
    name: 'hono-rate-limiter, memory',
    folders: ['/node_modules/hono-rate-limiter/'],
    app: appWith(limiter),
    warmUp: { requests: 20, gapMs: 100 },
    status: 200,
    trips: 0,
    sent: () => 0,
  }
}

/** Without the client `@upstash/redis`, whose functions do not count. */
function upstashRatelimit(state: string): Kind {
  const exhausted = state === 'client exhausted'
  let sent = 0
  const limiter = new Ratelimit({
    redis: new Redis({ url: 'https://trace.upstash.io', token: 'token' }),
    limiter: Ratelimit.fixedWindow(LIMIT, '60 s'),
    prefix: state,
    analytics: false,
  })
  // The client sends a pipeline by the global function. The script answers units used, and the limit.
  const answer: typeof fetch = async () =>
    Response.json([{ result: [++sent + (exhausted ? LIMIT : 0), LIMIT] }])
  const app = appWith(async (c, next) => {
    globalThis.fetch = answer
    const { success, pending } = await limiter.limit(clientOf(c))
    await pending
    if (!success) return c.text('Too many requests', 429)
    await next()
  })
  return {
    name: `@upstash/ratelimit, ${state}`,
    folders: ['/node_modules/@upstash/ratelimit/'],
    app,
    warmUp: { requests: 20, gapMs: 100 },
    status: exhausted ? 429 : 200,
    trips: exhausted ? 0 : 1,
    sent: () => sent,
  }
}

function appWith(limiter: MiddlewareHandler): Hono {
  const app = new Hono()
  app.use(limiter)
  app.get('/', ok)
  return app
}
