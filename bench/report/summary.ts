import type { Outcome } from '../outcome.ts'
import type { Panel } from './bar-chart.ts'

interface Choice {
  readonly title: string
  readonly benchmark: string
  readonly measure: string
  /** The contestants shown, and what they are called there. */
  readonly bars: Readonly<Record<string, string>>
}

const UPSTASH_AND_HONO = {
  '@upstash/ratelimit 2.2.0': '@upstash/ratelimit',
  'hono-rate-limiter 0.5.4': 'hono-rate-limiter',
}
const FLEXIBLE = { 'rate-limiter-flexible 11.4': 'rate-limiter-flexible' }
const GET_SET = { 'GET, then SET': 'GET, then SET' }

/** What `results/summary.svg` shows. */
const CHOICES: readonly Choice[] = [
  {
    title: 'Billed commands for 20 requests',
    benchmark: 'commands',
    measure: 'commands for 20 requests',
    bars: { 'Tidegate, strict': 'Tidegate', ...UPSTASH_AND_HONO, ...FLEXIBLE, ...GET_SET },
  },
  {
    title: 'Billed commands per request, hot key',
    benchmark: 'lease',
    measure: 'commands per allowed request',
    bars: { 'Tidegate, lease': 'Tidegate, lease', ...UPSTASH_AND_HONO, ...FLEXIBLE, ...GET_SET },
  },
  {
    title: 'ms added (p50), store 30 ms away',
    benchmark: 'lease',
    measure: 'added p50, ms',
    bars: {
      'Tidegate, lease': 'Tidegate, lease',
      'Tidegate, strict': 'Tidegate, strict',
      ...UPSTASH_AND_HONO,
      ...GET_SET,
    },
  },
  {
    title: 'Bundle with its Redis client, gzip bytes',
    benchmark: 'bytes',
    measure: 'gzip bytes',
    bars: {
      'Tidegate: Hono + memory + upstash, no client needed': 'Tidegate',
      '@upstash/ratelimit 2.2.0 + @upstash/redis': '@upstash/ratelimit',
      'hono-rate-limiter: Hono + RedisStore + @upstash/redis': 'hono-rate-limiter',
      'rate-limiter-flexible 11.4, ioredis excluded': 'rate-limiter-flexible',
    },
  },
]

/** The panels of `results/summary.svg`. Throws if a figure is missing. */
export function summary(outcomes: Readonly<Record<string, Outcome>>): readonly Panel[] {
  return CHOICES.map(({ title, benchmark, measure, bars }) => ({
    title,
    note: 'less is better',
    bars: Object.entries(bars).map(([name, label]) => {
      const value = outcomes[benchmark]?.figures[name]?.[measure]
      if (typeof value !== 'number') throw new Error(`${benchmark}: no ${measure} of ${name}`)
      return { label, value }
    }),
  }))
}
