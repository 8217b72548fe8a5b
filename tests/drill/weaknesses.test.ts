import { describe, expect, test } from 'vitest'
import { typicalRequests } from '../../src/drill/plan.ts'
import { draft11, LIMIT, PATH } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

describe('a deployment that does everything right', () => {
  test('passes all checks, with as many requests as were announced', async () => {
    const { ok, bad, burst, requests, received, variants, waits, of } = await drilled()
    expect(bad).toEqual([])
    expect(ok).toBe(true)
    expect(burst).toEqual({ sent: 15, passed: 10 })
    expect(new Set(variants.map(({ outcome }) => outcome))).toEqual(new Set(['shared']))
    expect(variants).toHaveLength(34)
    // The IPv6 neighbour was not tried.
    expect(requests).toBe(typicalRequests(LIMIT) - 1)
    expect(received).toHaveLength(requests)
    expect(waits).toEqual([expect.stringMatching(/^waits 5\d s, as Retry-After says$/)])
    expect(of('retry-after')?.says).toMatch(/passed after that time, not before/)
    expect(of('next-window')?.says).toContain('10 passed in the next window')
  })

  test('is asked by an honest client, one request after another', async () => {
    const { received } = await drilled()
    for (const { headers, method } of received.slice(0, 15)) {
      expect(headers['user-agent']).toBe('tidegate-drill/test')
      expect(headers).not.toHaveProperty('x-forwarded-for')
      expect(method).toBe('POST')
    }
  })

  test('passes with X-RateLimit-* too, in seconds or as a date', async () => {
    for (const now of [undefined, Date.UTC(2026, 0, 1) - 1]) {
      const { bad, of } = await drilled({
        fields: (decided) => ({
          ...draft11(decided),
          'X-RateLimit-Limit': `${LIMIT}`,
          'X-RateLimit-Remaining': `${decided.remaining}`,
          // All of the first window's requests know its end.
          'X-RateLimit-Reset': `${now === undefined ? decided.seconds : Math.ceil(now / 1000) + 60}`,
        }),
      })
      expect(bad).toEqual([])
      expect(of('agreement')?.says).toBe(
        'RateLimit, X-RateLimit-*, Retry-After agree in all responses.',
      )
    }
  })

  test('passes if other spellings lead to no handler, or are redirected', async () => {
    const { bad, of, variants } = await drilled({
      isLimited: ({ url }) => url?.split('?')[0] === PATH,
      answerFirst({ url }, response) {
        if (url?.split('?')[0] === PATH) return false
        const status = url?.endsWith('/') ? 308 : 404
        response.writeHead(status, { location: PATH }).end()
        return true
      },
    })
    expect(bad).toEqual([])
    expect(of('spelling')?.says).toContain(
      'Did not reach the handler: // (404), trailing slash (308)',
    )
    expect(variants.find(({ variant }) => variant === 'query')?.outcome).toBe('shared')
  })

  test('passes if other paths get a page of another type', async () => {
    const { bad, variants } = await drilled({
      isLimited: ({ url }) => url?.split('?')[0] === PATH,
      answer({ url }, response) {
        if (url?.split('?')[0] === PATH) return false
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>')
        return true
      },
    })
    expect(bad).toEqual([])
    expect(variants.find(({ variant }) => variant === 'case')?.outcome).toBe('elsewhere')
  })
})

describe('a limiter without limit', () => {
  test('is found, and nothing else is tried', async () => {
    const { bad, burst, of, requests, variants } = await drilled({ isLimited: () => false })
    expect(burst).toEqual({ sent: 15, passed: 15 })
    expect(bad.slice(0, 2)).toEqual(['limit: failure', 'ratelimit: warning'])
    expect(of('limit')?.says).toBe(
      'All 15 requests passed (15 × 200), and the limit is 10 per 60 s.',
    )
    for (const check of ['forged-address', 'spelling', 'method', 'retry-after'] as const) {
      expect(of(check)).toMatchObject({ level: 'not examined', says: 'No request was refused.' })
    }
    expect(requests).toBe(15)
    expect(variants).toEqual([])
  })

  test('is found if another policy is the one that the fields show', async () => {
    const { bad, of } = await drilled({ limit: 300 })
    expect(bad.slice(0, 2)).toEqual(['limit: failure', 'ratelimit: failure'])
    expect(of('limit')?.remedy).toMatch(/other policies \(300 per 60 s\): no policy of 10 per 60 s/)
  })

  test('is found if a cache answers', async () => {
    const { of } = await drilled({
      answerFirst(_, response) {
        response.writeHead(200, { age: '12' }).end('cached')
        return true
      },
    })
    expect(of('limit')?.remedy).toMatch(/^A cache answers/)
  })

  test('is found if each of two servers counts alone', async () => {
    let server = 0
    const { bad, burst } = await drilled({ keyPart: () => `${server++ % 2}` })
    expect(bad).toContain('limit: failure')
    expect(burst?.passed).toBe(15)
  })
})

describe('a limiter with another limit', () => {
  test('is found if it passes one more', async () => {
    const { bad, of, burst } = await drilled({ admits: LIMIT + 1 })
    expect(burst).toEqual({ sent: 15, passed: 11 })
    expect(bad).toContain('limit: failure')
    expect(of('limit')?.says).toContain('11 of 15 requests passed')
  })

  test('is found if it passes fewer', async () => {
    const { bad, of } = await drilled({ limit: 5 })
    expect(bad).toEqual(['limit: failure', 'ratelimit: failure'])
    expect(of('ratelimit')?.says).toBe('RateLimit-Policy shows 5 per 60 s, and not 10 per 60 s.')
  })

  test('is found if its window is another', async () => {
    const { bad, of } = await drilled({}, { options: { window: '30s' } })
    expect(bad).toContain('ratelimit: failure')
    expect(of('ratelimit')?.says).toContain('10 per 60 s, and not 10 per 30 s')
  })
})

describe('a limiter that does not count another method', () => {
  const but = (name: string) => ({ isLimited: ({ method = '' }) => method !== name })

  test('is found if GET is limited and HEAD is not', async () => {
    const { bad, of } = await drilled(but('HEAD'), { options: { method: 'GET' } })
    expect(bad).toEqual(['method: failure'])
    expect(of('method')?.says).toContain(': HEAD (200).')
  })

  test('is found if it counts HEAD apart', async () => {
    const plan = { keyPart: ({ method = '' }) => method }
    expect((await drilled(plan, { options: { method: 'GET' } })).bad).toEqual(['method: failure'])
    const ofOne = { options: { method: 'GET', limit: 1 } }
    expect((await drilled({ ...plan, limit: 1 }, ofOne)).bad).toEqual(['method: failure'])
  })

  test('is warned of if OPTIONS passes', async () => {
    const { bad } = await drilled(but('OPTIONS'), { options: { method: 'GET' } })
    expect(bad).toEqual(['method: warning'])
  })

  test('is mentioned if the limit is one of POST', async () => {
    const { bad, of } = await drilled(but('HEAD'))
    expect(bad).toEqual([])
    expect(of('method')).toMatchObject({
      level: 'info',
      says: 'The limit of POST does not count HEAD. That is right if their handlers are cheap.',
    })
  })
})

describe('a limiter that loses its count', () => {
  test('is found if it counts nothing after the first window', async () => {
    const { bad, of } = await drilled({ isLimited: (_, opened) => opened < 2 })
    expect(bad).toEqual(['next-window: failure'])
    expect(of('next-window')?.says).toBe(
      'In the next window 11 requests passed, and none was refused.',
    )
  })

  test('is found if it restarts in between, and its memory is empty', async () => {
    let requests = 0
    let forget = () => {}
    const { bad, of } = await drilled(
      {
        answerFirst() {
          if (++requests === 25) forget()
          return false
        },
      },
      { before: (deployment) => (forget = deployment.forget) },
    )
    expect(bad).toEqual(['retry-after: failure', 'next-window: not examined'])
    expect(of('retry-after')?.says).toMatch(
      /^A request passed [01](\.\d)? s after a refusal with Retry-After: 5\d/,
    )
  })
})
