/** How much code one request runs: `npm run trace`, over the source. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

/** The most that each kind of request may cost, by the columns of the table. */
const BOUNDS = {
  'memory()': { functions: 30, calls: 38, clock: 1 },
  'upstash(), window open': { functions: 62, calls: 80, clock: 3, ifOpen: 3, learn: 1, keyOf: 1 },
  'upstash(), client exhausted': { functions: 34, calls: 40, clock: 1, learn: 0, keyOf: 0 },
  'upstash(), lease held': { functions: 36, calls: 42, clock: 1, learn: 0, keyOf: 0 },
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
