import fc from 'fast-check'
import { describe, expect, inject, test } from 'vitest'
import type { Demand } from '../../src/index.ts'
import { PLAIN } from '../../src/stores/script.ts'
import { takeFixedWindow, type Window } from '../../src/stores/window.ts'
import { redisCommand } from '../support/subjects.ts'

/** Windows far longer than the test, so that the clocks' difference is no more than its length. */
const demands = fc.uniqueArray(
  fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    limit: fc.integer({ min: 1, max: 6 }),
    window: fc.constantFrom(50_000_000, 60_000_000),
    cost: fc.integer({ min: 0, max: 4 }),
    reserve: fc.integer({ min: 0, max: 3 }),
  }),
  { selector: ({ client }) => client, minLength: 1 },
)

describe('the script', () => {
  test('grants what the step grants, for any sequence of demands', async () => {
    const gateway = inject('gateway')
    const start = Date.now()
    await fc.assert(
      fc.asyncProperty(fc.array(demands, { minLength: 1, maxLength: 8 }), async (calls) => {
        const run = crypto.randomUUID()
        const windows = new Map<string, Window>()
        for (const call of calls) {
          const asked = call.map((demand): Demand & { reserve: number } => ({
            ...demand,
            cost: Math.min(demand.cost, demand.limit),
            policy: run,
          }))
          const steps = takeFixedWindow(
            asked,
            asked.map(({ client }) => windows.get(client)),
            start,
          )
          for (const [index, { client }] of asked.entries()) {
            const window = steps[index]?.window
            if (window) windows.set(client, window)
          }
          const answer = (await redisCommand(
            gateway,
            'EVAL',
            PLAIN.text,
            `${asked.length}`,
            ...asked.map(({ client }) => `differential:${run}:${client}`),
            ...asked.flatMap(({ limit, window, cost, reserve }) =>
              [limit, window, cost, reserve].map(String),
            ),
          )) as number[]
          const elapsed = Date.now() - start + 1000
          for (const [index, { grant }] of steps.entries()) {
            const [granted, used, resetIn = 0, retryIn = 0] = answer.slice(4 * index)
            expect([granted, used]).toEqual([grant.granted, grant.used])
            for (const [told, expected] of [
              [resetIn, grant.resetIn],
              [retryIn, grant.retryIn],
            ] as const) {
              expect(told > 0).toBe(expected > 0)
              expect(Math.abs(told - expected)).toBeLessThan(elapsed)
            }
          }
        }
        const keys = ['a', 'b', 'c'].map((client) => `differential:${run}:${client}`)
        await redisCommand(gateway, 'DEL', ...keys)
      }),
      { numRuns: 60, seed: 20261123 },
    )
  })
})
