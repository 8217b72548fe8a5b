import { describe, expect, test } from 'vitest'
import { draft11, LIMIT, type Plan } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

describe('header fields', () => {
  const xOf = (limit: number, remaining: number, seconds: number | string) => ({
    'X-RateLimit-Limit': `${limit}`,
    'X-RateLimit-Remaining': `${remaining}`,
    'X-RateLimit-Reset': `${seconds}`,
  })
  const cases: readonly (readonly [string, Plan['fields'], RegExp, readonly string[]])[] = [
    [
      'that disagree about what is left',
      (decided) => ({ ...draft11(decided), ...xOf(LIMIT, decided.remaining + 1, decided.seconds) }),
      /X-RateLimit-Remaining is 10, and RateLimit shows 9 left/,
      ['x-ratelimit: failure', 'agreement: failure'],
    ],
    [
      'that disagree about the limit',
      (decided) => ({ ...draft11(decided), ...xOf(100, decided.remaining, decided.seconds) }),
      /X-RateLimit-Limit is 100, and RateLimit-Policy shows 10/,
      ['x-ratelimit: failure', 'agreement: failure'],
    ],
    [
      'that disagree about the end of the window',
      (decided) => ({ ...draft11(decided), ...xOf(LIMIT, decided.remaining, 5) }),
      /X-RateLimit-Reset is 5 s from now, and RateLimit shows t=60/,
      ['agreement: failure'],
    ],
    [
      'that disagree with Retry-After',
      (decided) => draft11({ ...decided, seconds: 30 }),
      /Retry-After is 5\d, and RateLimit shows t=30/,
      ['agreement: failure'],
    ],
    [
      'of X-RateLimit-* alone that disagree with Retry-After',
      ({ remaining }) => xOf(LIMIT, remaining, 5),
      /X-RateLimit-Reset is 5 s from now, and Retry-After is 5\d/,
      ['ratelimit: warning', 'agreement: failure'],
    ],
    [
      'of X-RateLimit-* alone with milliseconds',
      ({ remaining, seconds }) => xOf(LIMIT, remaining, seconds * 1000),
      /X-RateLimit-Reset is 5\d000 s from now, and Retry-After is 5\d\.$/,
      ['ratelimit: warning', 'agreement: failure'],
    ],
    [
      'that do not count down',
      (decided) => draft11({ ...decided, remaining: decided.isRefused ? 0 : 9 }),
      /RateLimit does not count down: 9 were left, and after one more request 9/,
      ['ratelimit: failure'],
    ],
    [
      'that show one unit too many',
      (decided) =>
        draft11({ ...decided, remaining: decided.remaining + (decided.isRefused ? 0 : 1) }),
      /The limit refused a request although RateLimit had shown 1 left/,
      ['ratelimit: failure'],
    ],
    [
      'that show units left with a refusal',
      (decided) => draft11({ ...decided, remaining: decided.isRefused ? 3 : decided.remaining }),
      /A refusal has RateLimit with 3 left/,
      ['ratelimit: failure', 'problem: failure'],
    ],
    [
      'with a date as t',
      (decided) => draft11({ ...decided, seconds: 1_767_225_660 }),
      /RateLimit shows t=1767225660, longer than the window of 60 s/,
      ['ratelimit: failure', 'agreement: failure'],
    ],
    [
      'with tokens for names, as in drafts 7 and 8',
      ({ remaining }) => ({
        'RateLimit-Policy': 'sync;q=10;w=60',
        RateLimit: `sync;r=${remaining}`,
      }),
      /RateLimit-Policy is not a list of quoted names/,
      ['ratelimit: failure'],
    ],
    [
      'without q',
      ({ remaining }) => ({
        'RateLimit-Policy': '"sync";w=60',
        RateLimit: `"sync";r=${remaining}`,
      }),
      /The parameter q of RateLimit-Policy is missing/,
      ['ratelimit: failure'],
    ],
    [
      'of an older draft',
      ({ remaining, seconds }) => ({
        'RateLimit-Policy': '10;w=60',
        RateLimit: `limit=10, remaining=${remaining}, reset=${seconds}`,
      }),
      /older draft/,
      ['ratelimit: warning'],
    ],
    [
      'of an older draft, one for each number',
      ({ remaining }) => ({ 'RateLimit-Limit': '10', 'RateLimit-Remaining': `${remaining}` }),
      /older draft/,
      ['ratelimit: warning'],
    ],
    [
      'that refusals do not have',
      (decided): Record<string, string> => (decided.isRefused ? {} : draft11(decided)),
      /5 refusals have no RateLimit/,
      ['ratelimit: warning'],
    ],
    [
      'with a state that no policy has',
      ({ remaining }) => ({
        'RateLimit-Policy': '"sync";q=10;w=60',
        RateLimit: `"b";r=${remaining}`,
      }),
      /RateLimit does not have the policy that RateLimit-Policy shows/,
      ['ratelimit: failure'],
    ],
    ['that are not there', () => ({}), /No response has RateLimit/, ['ratelimit: warning']],
    [
      'of X-RateLimit-* that are no numbers',
      (decided) => ({ ...draft11(decided), ...xOf(LIMIT, decided.remaining, 'soon') }),
      /X-RateLimit-Reset is not a whole number/,
      ['x-ratelimit: failure'],
    ],
    [
      'of X-RateLimit-* in the past',
      (decided) => ({ ...draft11(decided), ...xOf(LIMIT, decided.remaining, 1_600_000_000) }),
      /X-RateLimit-Reset is \d+ s in the past/,
      ['x-ratelimit: failure', 'agreement: failure'],
    ],
  ]
  for (const [name, fields, says, levels] of cases) {
    test(`${name} are found`, async () => {
      const { findings, bad } = await drilled({ ...(fields && { fields }) })
      expect(findings.filter((finding) => says.test(finding.says))).toHaveLength(1)
      expect(bad).toEqual(levels)
    })
  }

  test('of several policies pass, the drilled one beside a wider one', async () => {
    const { bad } = await drilled({
      fields: ({ remaining, seconds }) => ({
        'RateLimit-Policy': '"all";q=300;w=60, "sync";q=10;w=60;pk=:AA==:;note="a;q=1"',
        RateLimit: `"all";r=${200 + remaining};t=${seconds}, "sync";r=${remaining};t=${seconds}`,
        'X-RateLimit-Limit': '10',
        'X-RateLimit-Remaining': `${remaining}`,
      }),
    })
    expect(bad).toEqual([])
  })
})
