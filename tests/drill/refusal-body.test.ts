import { describe, expect, test } from 'vitest'
import { type Plan, problem } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

describe('the body of a refusal', () => {
  const ofProblem = (change: object): Plan => ({
    refusalBody(decided) {
      const [type, text] = problem(decided)
      return [type, JSON.stringify({ ...JSON.parse(text), ...change })]
    },
  })
  const cases: readonly (readonly [string, Plan, string, RegExp])[] = [
    [
      'of another status',
      ofProblem({ status: 503 }),
      'failure',
      /has status 503, and the response has 429/,
    ],
    [
      'of another wait',
      ofProblem({ detail: 'Wait 7 seconds.' }),
      'failure',
      /says 7 seconds, and Retry-After is 5\d/,
    ],
    ['of an unknown policy', ofProblem({ 'violated-policies': ['b'] }), 'failure', /does not show/],
    ['of no policy', ofProblem({ 'violated-policies': [] }), 'failure', /not a list of names/],
    ['of another type', ofProblem({ type: 'about:blank' }), 'info', /another type/],
    [
      'that is no JSON',
      { refusalBody: () => ['application/problem+json', '{'] },
      'failure',
      /not a JSON object/,
    ],
    [
      'that is a list',
      { refusalBody: () => ['application/problem+json', '[]'] },
      'failure',
      /not a JSON object/,
    ],
    [
      'that is a text',
      { refusalBody: () => ['text/plain', 'slow down'] },
      'info',
      /is text\/plain/,
    ],
    [
      'that is endless',
      { refusalBody: () => ['application/problem+json', '"'.padEnd(5_000_000)] },
      'failure',
      /not a JSON object/,
    ],
  ]
  for (const [name, plan, level, says] of cases) {
    test(`is judged: ${name}`, async () => {
      const { of } = await drilled(plan)
      expect(of('problem')).toMatchObject({ level, says: expect.stringMatching(says) })
    })
  }

  test('must not be kept by caches', async () => {
    const { bad } = await drilled({ cacheControl: 'public, max-age=60' })
    expect(bad).toEqual(['problem: failure'])
  })
})
