import type { Contestant } from './contestant.ts'
import { getSet } from './get-set.ts'
import { honoRateLimiter } from './hono-rate-limiter.ts'
import { rateLimiterFlexible } from './rate-limiter-flexible.ts'
import { upstash208, upstash220 } from './upstash.ts'

export const rivals: readonly Contestant[] = [
  upstash208,
  upstash220,
  honoRateLimiter,
  rateLimiterFlexible,
  getSet,
]
