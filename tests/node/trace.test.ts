/** How much code one request runs: `npm run trace`, over the source. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

/** The most that each kind of request may cost, by the columns of the table. */
const BOUNDS = {
  'memory()': { functions: 44, calls: 49, clock: 1 },
  'upstash(), window open': { functions: 82, calls: 117, clock: 8, open: 7, learn: 2, keyOf: 2 },
  'upstash(), client exhausted': {
    functions: 58,
    calls: 69,
    clock: 3,
    open: 1,
    learn: 0,
    keyOf: 1,
  },
  'upstash(), lease held': { functions: 50, calls: 53, clock: 1, open: 1, learn: 0, keyOf: 1 },
}

const output = execFileSync(process.execPath, ['bench/trace/main.ts', 'src', '--json'], {
  encoding: 'utf8',
})
const costs: Readonly<Record<string, Readonly<Record<string, number>>>> = JSON.parse(output)

describe('one warm request through Hono', () => {
  test.each(Object.entries(BOUNDS))('runs no more code than it may: %s', (kind, bounds) => {
    for (const [column, most] of Object.entries(bounds)) {
      expect(costs[kind]?.[column], column).toBeLessThanOrEqual(most)
    }
  })
})
