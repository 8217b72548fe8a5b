import type { MakeRule } from '../isolate.ts'
import { getSet } from './get-set.ts'
import { perIsolate } from './per-isolate.ts'
import { honoRateLimiter, rateLimiterFlexible } from './script-per-check.ts'
import { tidegate } from './tidegate.ts'
import { upstash } from './upstash.ts'

/** Every mode that can be simulated. The rivals' rules are briefly those that were measured. */
export const RULES = {
  strict: tidegate({ lease: false }),
  lease: tidegate({ lease: true }),
  upstash,
  'hono-rate-limiter': honoRateLimiter,
  'rate-limiter-flexible': rateLimiterFlexible,
  'get-set': getSet,
  'per-isolate': perIsolate,
} as const satisfies Readonly<Record<string, MakeRule>>

export type Mode = keyof typeof RULES

export const MODES = Object.keys(RULES) as Mode[]
