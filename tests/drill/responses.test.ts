import { describe, expect, test } from 'vitest'
import { draft11, LIMIT, type Plan, problem } from './support/deployment.ts'
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

describe('a deployment', () => {
  test('that redirects is not followed, and gets one request', async () => {
    const { bad, of, received } = await drilled({
      answerFirst(_, response) {
        response.writeHead(308, { location: 'https://www.example.com/api?token=hush' }).end()
        return true
      },
    })
    expect(received).toHaveLength(1)
    expect(bad).toEqual(['reachability: failure', 'coverage: not examined'])
    expect(of('reachability')?.says).toContain('redirects (308) to https://www.example.com/api.')
  })

  test('that fails is warned of', async () => {
    const { bad, of } = await drilled({
      answer(_, response) {
        response.writeHead(502).end()
        return true
      },
    })
    expect(bad).toEqual([
      'reachability: warning',
      'limit: not examined',
      'retry-after: not examined',
      'next-window: not examined',
    ])
    expect(of('reachability')?.says).toContain(
      '10 of 15 responses are neither a success nor a refusal (10 × 502)',
    )
  })

  test('that never ends a response is not waited for', async () => {
    const start = performance.now()
    let streams = 0
    const { bad } = await drilled({
      answer(_, response) {
        if (++streams > 1) return false
        response.writeHead(200, { 'content-type': 'application/json' }).write('{')
        return true
      },
    })
    expect(streams).toBeGreaterThan(1)
    expect(bad).toEqual([])
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('that never ends a refusal is read up to 64 KiB', async () => {
    const { bad, of } = await drilled(
      {
        fields: () => ({}),
        answerFirst({ socket }, response) {
          const end = response.end.bind(response)
          response.end = (text: unknown) => {
            if (response.statusCode !== 429) return end(text)
            response.write(`${text}`.padEnd(100_000))
            socket.setTimeout(0)
            return response
          }
          return false
        },
      },
      { options: { timeout: '1s', maxWait: '1s' } },
    )
    expect(bad).toEqual([
      'ratelimit: warning',
      'retry-after: not examined',
      'next-window: not examined',
    ])
    expect(of('problem')?.level).toBe('ok')
  })

  test('that stops answering is not looked for at another address of its host', async () => {
    let requests = 0
    const { of } = await drilled(
      { answerFirst: () => ++requests > 3 },
      { addresses: ['127.0.0.1', '127.0.0.9'], options: { timeout: '100ms' } },
    )
    expect(of('reachability')?.says).toContain('no response within 100 ms')
  })

  test('that does not answer is given up after two requests', async () => {
    const { bad, of, received } = await drilled(
      { answerFirst: () => true },
      { options: { timeout: '100ms' } },
    )
    expect(bad).toEqual(['reachability: failure', 'coverage: not examined', 'errors: warning'])
    expect(of('reachability')?.says).toContain('no response within 100 ms')
    expect(received).toHaveLength(2)
  })

  test('that closes the connection of a forged request is no failure', async () => {
    const { bad, of } = await drilled({
      answerFirst: ({ headers, socket }) =>
        headers['cf-connecting-ip'] !== undefined && socket.destroy().destroyed,
    })
    expect(bad).toEqual([])
    expect(of('forged-address')?.says).toContain(
      'Did not reach the handler: CF-Connecting-IP (no response).',
    )
  })

  test('that closes connections is asked again, a few times', async () => {
    let requests = 0
    const once = await drilled({
      answerFirst: ({ socket }) => ++requests === 3 && socket.destroy().destroyed,
    })
    expect(once.bad).toEqual(['errors: warning'])
    expect(once.of('errors')?.says).toContain('1 requests got no response')
    const often = await drilled({
      answerFirst: ({ socket }) => ++requests % 2 === 0 && socket.destroy().destroyed,
    })
    expect(often.bad).toEqual([
      'reachability: failure',
      'coverage: not examined',
      'errors: warning',
    ])
    expect(often.received.length).toBeLessThan(15)
  })

  test('is found at the second address of its host, and from then on there alone', async () => {
    const { bad } = await drilled({}, { addresses: ['127.0.0.9', '127.0.0.1'] })
    expect(bad).toEqual([])
  })
})
