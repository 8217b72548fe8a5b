import { describe, expect, inject, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import type { Decision, PolicyState } from '../../src/index.ts'
import { compileFieldWriters, type HeaderStyle } from '../../src/response/field-writers.ts'
import { mark as markWith } from '../../src/response/mark.ts'

const policy: PolicyState = {
  name: '',
  limit: 100,
  window: 60_000,
  remaining: 99,
  resetIn: 60_000,
  retryIn: 0,
}

const allowed: Decision = {
  allowed: true,
  policies: [policy],
  policy,
  retryIn: 0,
  degraded: false,
  source: 'store',
}

/** The decision of a limiter whose one policy has this name. */
const of = (name: string): Decision => {
  const named = { ...policy, name }
  return { ...allowed, policies: [named], policy: named }
}

const mark = (
  response: Response,
  decision = allowed,
  styles: HeaderStyle | readonly HeaderStyle[] = 'draft-11',
) => markWith(response, decision, compileFieldWriters(styles))

const STATE = '"default";r=99;t=60'

/** What a response without a word on caching gets. */
const OURS = ['ratelimit', 'ratelimit-policy', 'cache-control']

/** Whether the fields of a response can be changed at all. */
function isMutable({ headers }: Response): boolean {
  try {
    headers.set('x-probe', '1')
    return true
  } catch {
    return false
  }
}

describe('a response whose fields can be changed is marked itself', () => {
  const responses: Readonly<Record<string, () => Response>> = {
    'with a text': () => new Response('text'),
    'with JSON': () => Response.json({ a: 1 }),
    'of an error': () => new Response('no', { status: 500, statusText: 'Broken' }),
    'that is another 429': () => new Response(null, { status: 429 }),
    'without content (204)': () => new Response(null, { status: 204 }),
    'not modified (304)': () => new Response(null, { status: 304 }),
    'that redirects': () => new Response(null, { status: 302, headers: { location: '/x' } }),
  }
  for (const [kind, make] of Object.entries(responses)) {
    test(kind, async () => {
      const [response, twin] = [make(), make()]
      const marked = mark(response)
      expect(marked).toBe(response)
      expect(marked.headers.get('ratelimit')).toBe(STATE)
      expect(marked.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60')
      expect([marked.status, marked.statusText]).toEqual([twin.status, twin.statusText])
      expect(await marked.text()).toBe(await twin.text())
      for (const name of OURS) marked.headers.delete(name)
      expect([...marked.headers]).toEqual([...twin.headers])
    })
  }

  test('streamed, without waiting for its end', async () => {
    let send: (text: string) => void = () => {}
    let end = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text))
        end = () => controller.close()
      },
    })
    const marked = mark(new Response(body))
    expect(marked.headers.get('ratelimit')).toBe(STATE)
    expect(marked.bodyUsed).toBe(false)

    const reader = (marked.body ?? new ReadableStream()).getReader()
    const next = async () => new TextDecoder().decode((await reader.read()).value)
    send('first')
    expect(await next()).toBe('first')
    send('second')
    expect(await next()).toBe('second')
    end()
    expect((await reader.read()).done).toBe(true)
  })

  test('with its cookies kept apart', () => {
    const response = new Response(null)
    for (const cookie of ['a=1; Path=/', 'b=2; HttpOnly', 'c=3']) {
      response.headers.append('Set-Cookie', cookie)
    }
    expect(mark(response).headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; HttpOnly', 'c=3'])
  })
})

describe('a response whose fields are immutable is marked as a copy', () => {
  test('that redirects', () => {
    const response = Response.redirect('https://example.com/there', 307)
    expect(isMutable(response)).toBe(false)
    const marked = mark(response)
    expect(marked.status).toBe(307)
    expect(marked.headers.get('location')).toBe('https://example.com/there')
    expect(marked.headers.get('ratelimit')).toBe(STATE)
    expect(response.headers.has('ratelimit')).toBe(false)
  })

  test('that came from fetch, status, fields, body and all', async () => {
    const { url, token } = inject('gateway')
    const send = (authorization: string) =>
      fetch(url, { method: 'POST', headers: { authorization }, body: '["ECHO","hello"]' })
    for (const [authorization, status, body] of [
      [`Bearer ${token}`, 200, '{"result":"hello"}'],
      ['Bearer wrong', 401, '{"error":"Unauthorized"}'],
    ] as const) {
      const response = await send(authorization)
      expect(isMutable(response)).toBe(false)
      const before = [...response.headers]
      const marked = mark(response)
      expect([marked.status, marked.statusText]).toEqual([status, response.statusText])
      expect(marked.headers.get('ratelimit')).toBe(STATE)
      for (const name of OURS) marked.headers.delete(name)
      expect([...marked.headers]).toEqual(before)
      expect(await marked.text()).toBe(body)
    }
  })

  test('with the fields of all styles, each once', () => {
    const marked = mark(Response.redirect('https://example.com/'), allowed, [
      'x-ratelimit',
      'draft-11',
    ])
    expect(Object.fromEntries(marked.headers)).toEqual({
      'cache-control': 'private',
      location: 'https://example.com/',
      ratelimit: STATE,
      'ratelimit-policy': '"default";q=100;w=60',
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': '99',
      'x-ratelimit-reset': '60',
    })
  })

  test('once, and by a second limiter itself', () => {
    const once = mark(Response.redirect('https://example.com/'), of('inner'))
    const twice = mark(once, of('outer'))
    expect(twice).toBe(once)
    expect(twice.headers.get('ratelimit')).toBe('"inner";r=99;t=60, "outer";r=99;t=60')
  })
})

describe('a cache shows the quota of one client to no other', () => {
  const make = (headers: Record<string, string>) => new Response('x', { headers })

  const shared: readonly Record<string, string>[] = [
    { 'Cache-Control': 'public, max-age=60' },
    { 'Cache-Control': 'max-age=0, Public' },
    { 'Cache-Control': 's-maxage=60' },
    { 'Cache-Control': 'max-age=1,S-MaxAge=60, stale-while-revalidate' },
    { 'Cache-Control': 'no-cache', 'CDN-Cache-Control': 'max-age=60' },
    { 'Cache-Control': 'private', 'Cloudflare-CDN-Cache-Control': 'max-age=60' },
    // A `private` with names of fields leaves the rest to shared caches (RFC 9111 §5.2.2.7).
    { 'Cache-Control': 'public, max-age=60, private="x-a"' },
    { 'Cache-Control': 'private="x-a", max-age=600' },
    { 'Cache-Control': 'private = "x-a, private", max-age=600' },
    { 'Cache-Control': 'private=x-a, max-age=600' },
    { 'Cache-Control': 'no-cache="private", s-maxage = "60"' },
    { 'Cache-Control': 'public, x-private=1' },
    { 'Cache-Control': 'public, ext="no-store"' },
    { 'Cache-Control': 'ext="a\\", private, ", public' },
    { 'CDN-Cache-Control': 'max-age=60, private="x"' },
    { 'CDN-Cache-Control': 'max-age=60, ext="no-store"' },
  ]
  /** What other caches than Cloudflare's obey, of which none stands in front of a Worker. */
  const elsewhere: readonly Record<string, string>[] = [
    { 'Vercel-CDN-Cache-Control': 'max-age=60' },
    { 'Surrogate-Control': 'max-age=60' },
    { 'Surrogate-Control': 'no-store-remote, max-age=60' },
    { 'Netlify-CDN-Cache-Control': 'max-age=60' },
    { 'Akamai-Cache-Control': 'max-age=60' },
    { 'Cache-Control': 'no-store', 'Edge-Control': '!no-store, max-age=60' },
    { 'Edge-Control': 'cache-maxage=1d' },
    { 'Cache-Control': 'private', 'X-Accel-Expires': '60' },
    { 'X-Accel-Expires': '@4102444800' },
    { 'X-LiteSpeed-Cache-Control': 'public, max-age=60' },
  ]
  for (const headers of elsewhere) {
    const isOnCloudflare = detectPlatform() === 'cloudflare'
    test(`beside ${JSON.stringify(headers)} fields stand at Cloudflare alone`, () => {
      expect(mark(make(headers)).headers.has('ratelimit')).toBe(isOnCloudflare)
    })
  }

  for (const headers of shared) {
    test(`as a response for all has no fields: ${JSON.stringify(headers)}`, () => {
      const before = { ...Object.fromEntries(make(headers).headers) }
      const response = make(headers)
      expect(mark(response)).toBe(response)
      expect(Object.fromEntries(response.headers)).toEqual(before)
    })
  }

  const others: readonly (readonly [string, string])[] = [
    ['max-age=60', 'max-age=60, private'],
    ['no-cache', 'no-cache, private'],
    ['max-age=60, private', 'max-age=60, private'],
    ['Private', 'Private'],
    ['no-store', 'no-store'],
    ['public, private', 'public, private'],
    ['private="x-a" ,\tno-store', 'private="x-a" ,\tno-store'],
    ['non-public', 'non-public, private'],
    ['publicly', 'publicly, private'],
    ['x-s-maxage=60', 'x-s-maxage=60, private'],
    ['privately, no-stored', 'privately, no-stored, private'],
    // Caches that know the status ignore `no-store` (RFC 9111 §5.2.2.3).
    ['no-store, must-understand', 'no-store, must-understand, private'],
    ['must-understand,no-store, max-age=9', 'must-understand,no-store, max-age=9, private'],
    ['max-age=9 , no-store ', 'max-age=9 , no-store'],
    // Behind a quote that some cache takes for an open one, another word would not be read.
    ['max-age=60, ext="private"', 'private, max-age=60, ext="private"'],
    ['no-cache="set-cookie, private"', 'private, no-cache="set-cookie, private"'],
    ['no-cache="public"', 'private, no-cache="public"'],
    ['max-age=60, x="unterminated', 'private, max-age=60, x="unterminated'],
    ['x="unterminated, public', 'private, x="unterminated, public'],
    ['x="unterminated\\', 'private, x="unterminated\\'],
  ]
  for (const [given, expected] of others) {
    test(`as one with fields is private: ${given}`, () => {
      const { headers } = mark(make({ 'Cache-Control': given }))
      expect([headers.get('cache-control'), headers.get('ratelimit')]).toEqual([expected, STATE])
    })
  }

  test('as one without a word on caching is private, also as a copy', () => {
    expect(mark(make({})).headers.get('cache-control')).toBe('private')
    const { headers } = mark(Response.redirect('https://example.com/'))
    expect(headers.get('cache-control')).toBe('private')
  })

  const kept: readonly Record<string, string>[] = [
    { 'CDN-Cache-Control': 'no-store' },
    { 'CDN-Cache-Control': 'max-age=60, Private' },
    { 'Edge-Control': 'no-store' },
    { 'X-Accel-Expires': '0' },
    { 'X-Cache': 'HIT', 'X-DNS-Prefetch-Control': 'off' },
  ]
  for (const headers of kept) {
    test(`where the CDN is told not to keep it, there are fields: ${JSON.stringify(headers)}`, () => {
      const marked = mark(make(headers)).headers
      expect([marked.get('cache-control'), marked.get('ratelimit')]).toEqual(['private', STATE])
    })
  }

  test('as one that a second limiter marks is private once', () => {
    for (const given of ['max-age=60', 'max-age=60, ext="public"']) {
      const once = mark(make({ 'Cache-Control': given }), of('inner')).headers.get('cache-control')
      const twice = mark(mark(make({ 'Cache-Control': given }), of('inner')), of('outer'))
      expect(twice.headers.get('cache-control')).toBe(once)
    }
  })
})

describe('a response is left as it is', () => {
  test('where no policy counted the request', () => {
    const uncounted: Decision = { ...allowed, policies: [], policy: undefined, source: 'none' }
    const response = Response.redirect('https://example.com/')
    expect(mark(response, uncounted)).toBe(response)
    const mutable = new Response('x', { headers: { 'Access-Control-Allow-Origin': '*' } })
    const before = [...mutable.headers]
    expect([...mark(mutable, uncounted).headers]).toEqual(before)
  })

  test('where no fields are wanted', () => {
    const response = Response.redirect('https://example.com/')
    expect(mark(response, allowed, [])).toBe(response)
    const cors = new Response('x', { headers: { 'Access-Control-Allow-Origin': '*' } })
    expect(mark(cors, allowed, []).headers.has('access-control-expose-headers')).toBe(false)
  })

  test('if it came from fetch and its body is gone, which no copy could have', async () => {
    const { url } = inject('gateway')
    const [read, locked] = await Promise.all([1, 2].map(() => fetch(url, { method: 'POST' })))
    await read?.text()
    locked?.body?.getReader()
    for (const response of [read, locked]) {
      if (response === undefined) throw new Error('no response')
      expect(mark(response)).toBe(response)
      expect(response.headers.has('ratelimit')).toBe(false)
    }
  })

  test('if it is a network error, which nobody can rebuild', () => {
    const error = Response.error()
    const marked = mark(error)
    expect(marked).toBe(error)
    expect([marked.type, marked.status]).toEqual(['error', 0])
  })
})

describe('scripts of another origin may read the fields', () => {
  const DRAFT = 'RateLimit, RateLimit-Policy'
  const exposed = (headers: Record<string, string>, decision = allowed) =>
    mark(new Response('x', { headers }), decision).headers.get('access-control-expose-headers')

  test('of a CORS response alone', () => {
    expect(exposed({})).toBeNull()
    expect(exposed({ 'Access-Control-Allow-Origin': '*' })).toBe(DRAFT)
    expect(exposed({ 'Access-Control-Allow-Origin': 'https://example.org' })).toBe(DRAFT)
  })

  test('beside those that the handler exposes', () => {
    const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'X-A' }
    expect(exposed(headers)).toBe(`X-A, ${DRAFT}`)
  })

  const lists: readonly (readonly [string, string])[] = [
    [DRAFT, DRAFT],
    ['ratelimit-policy,RATELIMIT', 'ratelimit-policy,RATELIMIT'],
    ['X-A,ratelimit ,X-B', 'X-A,ratelimit ,X-B, RateLimit-Policy'],
    ['X-RateLimit', `X-RateLimit, ${DRAFT}`],
    ['*', `*, ${DRAFT}`],
  ]
  for (const [given, expected] of lists) {
    test(`each once, where ${given} are exposed already`, () => {
      const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': given }
      expect(exposed(headers)).toBe(expected)
    })
  }

  test('each once, also of stacked limiters', () => {
    const response = new Response('x', { headers: { 'Access-Control-Allow-Origin': '*' } })
    mark(mark(response, of('inner')), of('outer'))
    expect(response.headers.get('access-control-expose-headers')).toBe(DRAFT)
  })

  test('of every style that is sent', () => {
    const response = new Response('x', { headers: { 'Access-Control-Allow-Origin': '*' } })
    mark(response, allowed, ['draft-11', 'x-ratelimit'])
    expect(response.headers.get('access-control-expose-headers')).toBe(
      `${DRAFT}, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset`,
    )
  })
})

test('several styles are sent side by side', () => {
  const { headers } = mark(new Response('x'), allowed, ['x-ratelimit', 'draft-11'])
  expect(headers.get('ratelimit')).toBe(STATE)
  expect(headers.get('x-ratelimit-remaining')).toBe('99')
})

test('fields that the handler sent of its own stay in the list', () => {
  const response = new Response('x', { headers: { RateLimit: '"upstream";r=5' } })
  expect(mark(response).headers.get('ratelimit')).toBe(`"upstream";r=5, ${STATE}`)
})
