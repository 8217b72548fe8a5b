import { describe, expect, test } from 'vitest'
import { draft11, LIMIT } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

const answering = (statusOf: (request: number) => number) => {
  let request = 0
  return drilled({
    answerFirst(_, response) {
      response.writeHead(statusOf(++request)).end()
      return true
    },
  })
}

describe('the advice', () => {
  for (const [status, remedy] of [
    [401, /^Send credentials with --header/],
    [404, /^Check the path/],
    [405, /with --method/],
  ] as const) {
    test(`for a deployment that answers every request with ${status}`, async () => {
      const { of } = await answering(() => status)
      const advice = expect.stringMatching(remedy)
      expect(of('reachability')).toMatchObject({ level: 'warning', remedy: advice })
      expect(of('limit')?.says).toBe(
        `0 of 15 requests passed (15 × ${status}), none was refused, and the limit is 10 per 60 s.`,
      )
      expect(of('limit')?.remedy).toEqual(advice)
    })
  }

  test('for a request that costs two units, without a wait for a fresh window', async () => {
    const { of, waits } = await drilled({
      admits: LIMIT / 2,
      fields: (decided) =>
        draft11({ ...decided, remaining: Math.max(0, 2 * decided.remaining - LIMIT) }),
    })
    expect(of('limit')).toMatchObject({
      says: expect.stringMatching(/^Only 5 of 15 requests passed/),
      remedy: expect.stringMatching(/^RateLimit shows 2 units less after each request/),
    })
    expect(waits).toEqual([expect.stringMatching(/as Retry-After says$/)])
    expect(of('next-window')?.says).toBe('The limit holds again: 5 passed in the next window.')
  })
})
