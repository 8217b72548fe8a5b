import fc from 'fast-check'
import { parseList } from 'structured-headers'
import { describe, expect, test } from 'vitest'
import { createLimiter, type Demand, type Grant, type Store } from '../../src/index.ts'

const MAX_INTEGER = 999_999_999_999_999
const NAME_CHARACTERS = 'abcxyzABCXYZ0123456789._-'

const policy = fc.record({
  name: fc.string({
    unit: fc.constantFrom(...NAME_CHARACTERS),
    minLength: 1,
    maxLength: 64,
  }),
  limit: fc.integer({ min: 1, max: MAX_INTEGER }),
  window: fc.integer({ min: 1000, max: MAX_INTEGER }),
})

const policies = fc.uniqueArray(policy, {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 5,
})

/** What a store answers to a demand, however large, and below zero where an operator has been at it. */
const answer = fc.record({
  used: fc.integer({ min: -MAX_INTEGER, max: MAX_INTEGER }),
  left: fc.integer({ min: 0, max: MAX_INTEGER }),
  isRefused: fc.boolean(),
})

const storeOf = (used: number, left: number, isRefused: boolean): Store => ({
  guard: 'none',
  take: async (demands: readonly Demand[]): Promise<readonly Grant[]> =>
    demands.map(({ window, cost }) => {
      const resetIn = Math.min(left, window)
      return { granted: isRefused ? 0 : cost, used, resetIn, retryIn: isRefused ? resetIn + 1 : 0 }
    }),
})

describe('the fields of any response are lists of Structured Fields (RFC 9651), by another parser', () => {
  test('and say what the decision says', async () => {
    await fc.assert(
      fc.asyncProperty(policies, answer, async (list, { used, left, isRefused }) => {
        const store = storeOf(used, left, isRefused)
        const client = () => ({ plain: 'a' })
        const limiter = createLimiter({ policies: list.map((one) => ({ ...one, client })), store })
        const request = new Request('https://example.com/')
        const decision = await limiter.check(request)
        const { headers } = decision.allowed
          ? limiter.mark(new Response(), decision)
          : limiter.refuse(decision, request)

        const quotas = parseList(headers.get('ratelimit-policy') ?? '')
        expect(quotas.map(([name]) => name)).toEqual(list.map(({ name }) => name))
        for (const [index, [, parameters]] of quotas.entries()) {
          const { limit = 0, window = 0 } = list[index] ?? {}
          expect(parameters.get('q')).toBe(limit)
          expect(parameters.get('w')).toBe(Math.ceil(window / 1000))
          expect([...parameters.keys()]).toEqual(['q', 'w'])
        }

        const states = parseList(headers.get('ratelimit') ?? '')
        expect(states.map(([name]) => name)).toEqual(list.map(({ name }) => name))
        for (const [index, [, parameters]] of states.entries()) {
          const { limit = 0, remaining, resetIn = 0 } = decision.policies[index] ?? {}
          expect(parameters.get('r')).toBe(remaining)
          expect(remaining).toBeGreaterThanOrEqual(0)
          expect(remaining).toBeLessThanOrEqual(limit)
          expect(parameters.get('t')).toBe(resetIn > 0 ? Math.ceil(resetIn / 1000) : undefined)
        }

        const wait = headers.get('retry-after')
        expect(wait === null).toBe(decision.allowed)
        if (wait !== null) expect(wait).toMatch(/^[1-9]\d{0,14}$/)
      }),
      { numRuns: 300 },
    )
  })
})
