import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createClassifier } from '../../src/drill/classify.ts'
import { LIMIT, PATH, type Plan } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

/** A plan whose requests get a status before the limiter runs: from 1, by their number. */
const answering = (
  statusOf: (request: number, message: IncomingMessage) => number | undefined,
): Plan => {
  let request = 0
  return {
    answerFirst(message, response) {
      const status = statusOf(++request, message)
      if (status !== undefined) response.writeHead(status).end()
      return status !== undefined
    },
  }
}

/** A handler that answers requests that passed with a status. */
const handling = (status: number): Plan => ({
  answer(_: IncomingMessage, response: ServerResponse) {
    response.writeHead(status).end()
    return true
  },
})

describe('a ban that answers everything with 403 is no pass', () => {
  test('from the first request', async () => {
    const { ok, level, bad, of } = await drilled(answering(() => 403))
    expect({ ok, level }).toEqual({ ok: false, level: 'not examined' })
    expect(bad.slice(0, 2)).toEqual(['reachability: warning', 'limit: not examined'])
    expect(of('limit')).toMatchObject({
      says: '0 of 15 requests passed (15 × 403), none was refused, and the limit is 10 per 60 s.',
      remedy: expect.stringContaining('If a firewall or a ban answers, let it admit the drill.'),
    })
  })

  test('in place of the limit', async () => {
    const { of } = await drilled(answering((request) => (request > LIMIT ? 403 : undefined)))
    expect(of('limit')).toMatchObject({
      level: 'not examined',
      says: '10 of 15 requests passed (10 × 200, 5 × 403), none was refused, and the limit is 10 per 60 s.',
      remedy: expect.stringContaining("If 403 is the limiter's refusal, let it send 429."),
    })
  })

  for (const [when, begin] of [
    ['after some refusals', 13],
    ['after the burst', 16],
    ['among the variants', 20],
  ] as const) {
    test(when, async () => {
      const { ok, bad, of, requests } = await drilled(
        answering((request) => (request >= begin ? 403 : undefined)),
      )
      expect(ok).toBe(false)
      expect(bad.filter((one) => one.endsWith('failure'))).toEqual([])
      expect(of('limit')?.level).toBe('ok')
      for (const check of ['forged-address', 'spelling', 'method'] as const) {
        expect(of(check)).toMatchObject({
          level: 'not examined',
          says: expect.stringMatching(/Now plain requests get 403 too\.$/),
        })
      }
      expect(of('retry-after')).toMatchObject({
        level: 'not examined',
        says: 'Plain requests get 403, neither a success nor a refusal.',
      })
      expect(of('next-window')?.level).toBe('not examined')
      expect(requests).toBeLessThan(35)
    })
  }

  test('when the client comes back', async () => {
    let isBack = false
    const { bad, of } = await drilled(
      answering(() => (isBack ? 403 : undefined)),
      { before: ({ clock }) => clock.timer(45_000, () => (isBack = true)) },
    )
    expect(bad).toEqual(['retry-after: not examined', 'next-window: not examined'])
    expect(of('retry-after')?.says).toMatch(
      /^A request (before|after) the time in Retry-After got 403/,
    )
  })
})

test('a ban that begins in the next window is no pass', async () => {
  let opened = 0
  const { bad, of } = await drilled({
    isLimited(_, windows) {
      opened = windows
      return true
    },
    answer(_, response) {
      if (opened < 2) return false
      response.writeHead(403).end()
      return true
    },
  })
  expect(bad).toEqual(['next-window: not examined'])
  expect(of('next-window')?.says).toBe(
    'A request of the next window got 403, neither a success nor a refusal.',
  )
})

describe('an error of the server is no pass', () => {
  test('if one of the requests that should pass gets 502', async () => {
    let passed = 0
    const { ok, bad, of, burst } = await drilled({
      answer(_, response) {
        if (++passed !== 4) return false
        response.writeHead(502).end()
        return true
      },
    })
    expect(ok).toBe(false)
    expect(burst).toEqual({ sent: 15, passed: 9 })
    expect(bad).toEqual(['reachability: warning', 'limit: not examined'])
    expect(of('reachability')?.says).toBe(
      '1 of 15 responses are neither a success nor a refusal (1 × 502).',
    )
    expect(of('limit')?.says).toBe(
      '9 of 15 requests passed (9 × 200, 1 × 502, 5 × 429), and the limit is 10 per 60 s. Whether the limiter counted the others is not known.',
    )
  })

  test('if it comes before the limiter, but the limit is examined all the same', async () => {
    const { bad, of } = await drilled(answering((request) => (request === 3 ? 502 : undefined)))
    expect(bad).toEqual(['reachability: warning', 'ratelimit: warning'])
    expect(of('limit')?.says).toBe('10 of 15 requests passed (10 × 200, 1 × 502, 4 × 429).')
  })

  test('if too few requests passed even with the others', async () => {
    const { of } = await drilled({ ...answering((n) => (n === 3 ? 502 : undefined)), admits: 5 })
    expect(of('limit')).toMatchObject({
      level: 'failure',
      says: 'Only 5 of 15 requests passed (5 × 200, 1 × 502, 9 × 429), and the limit is 10 per 60 s.',
    })
  })

  test('if a variant gets it each time, and it is tried again if not', async () => {
    const isForged = ({ headers }: IncomingMessage) => headers['x-real-ip'] !== undefined
    const always = await drilled(answering((_, message) => (isForged(message) ? 502 : undefined)))
    expect(always.bad).toEqual(['forged-address: not examined'])
    expect(always.of('forged-address')?.says).toContain(
      'Not clear, because of an error of the server: X-Real-IP (502).',
    )
    let forged = 0
    const once = await drilled(
      answering((_, message) => (isForged(message) && ++forged === 1 ? 502 : undefined)),
    )
    expect(once.bad).toEqual([])
  })

  test('but if a plain request gets it once among the variants, it is sent again', async () => {
    const { bad, received } = await drilled({
      ...answering((request, { url }) =>
        url?.includes(';x') ? 404 : request === 48 ? 502 : undefined,
      ),
    })
    expect(bad).toEqual([])
    expect(received.slice(47, 49).map(({ url, method }) => `${method} ${url}`)).toEqual([
      `POST ${PATH}`,
      `POST ${PATH}`,
    ])
  })
})

describe('a route that answers with another status than 2xx', () => {
  test('is not examined, with the flag that is missing', async () => {
    const { bad, of } = await drilled(handling(400))
    expect(bad.slice(0, 2)).toEqual(['reachability: warning', 'limit: not examined'])
    expect(of('reachability')?.remedy).toBe(
      'Send what the route needs, with --header and --method. If 400 is what the route answers to an empty request, add --expect 400.',
    )
    expect(of('limit')?.says).toContain('0 of 15 requests passed (10 × 400, 5 × 429)')
  })

  test('is examined with --expect', async () => {
    const { bad, of } = await drilled(handling(400), { options: { expect: 400 } })
    expect(bad).toEqual([])
    expect(of('limit')?.says).toBe('10 of 15 requests passed (10 × 400, 5 × 429).')
  })

  test('is found to be evaded with --expect', async () => {
    const client = ({ headers }: IncomingMessage) => `${headers['x-real-ip']}`
    const { bad } = await drilled({ ...handling(400), client }, { options: { expect: 400 } })
    expect(bad).toEqual(['forged-address: failure'])
  })
})

describe('503', () => {
  const busy = (client?: Plan['client']): Plan => ({
    ...(client && { client }),
    fields: () => ({}),
    refusalStatus: 503,
    refusalBody: () => ['text/plain', ''],
  })

  test('is the refusal of a limiter that sends no 429, which is warned of', async () => {
    const { bad, of } = await drilled(busy())
    expect(bad).toEqual(['limit: warning', 'ratelimit: warning'])
    expect(of('limit')?.remedy).toContain('nginx: limit_req_status 429')
    expect(of('next-window')?.level).toBe('ok')
  })

  test('is no obstacle to finding a forged address', async () => {
    const { bad } = await drilled(busy(({ headers }) => `${headers['x-real-ip']}`))
    expect(bad).toContain('forged-address: failure')
  })

  test('is an error before the first success, and beside 429', () => {
    const statuses = (...all: readonly number[]) => {
      const classify = createClassifier(undefined)
      return all.map((status) => classify(status).isRefused)
    }
    expect(statuses(503, 200, 503, 429, 503)).toEqual([false, false, true, true, false])
  })

  test('is an error if the limiter refuses with 429 later', async () => {
    const { bad, of } = await drilled(answering((request) => (request === 3 ? 503 : undefined)))
    expect(bad).toEqual(['reachability: warning', 'ratelimit: warning'])
    expect(of('limit')?.says).toBe('10 of 15 requests passed (10 × 200, 1 × 503, 4 × 429).')
  })
})
