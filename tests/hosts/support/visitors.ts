import { once } from 'node:events'
import { request as send } from 'node:http'
import { expect } from 'vitest'

/** What a test looks at in a response. */
export interface Answer {
  readonly status: number
  /** The field `RateLimit`. */
  readonly rateLimit: string | null | undefined
  /** The field `RateLimit-Policy`. */
  readonly policy: string | null | undefined
  /** The field `Retry-After`. */
  readonly retryAfter: string | null | undefined
}

export const answerOf = ({ status, headers }: Pick<Response, 'status' | 'headers'>): Answer => ({
  status,
  rateLimit: headers.get('ratelimit'),
  policy: headers.get('ratelimit-policy'),
  retryAfter: headers.get('retry-after'),
})

/** Shows that five visitors have five buckets of 100, and that the request over the limit is refused. */
export async function expectFiveBuckets(
  visitors: readonly string[],
  ask: (address: string) => Promise<Answer>,
) {
  const [first = ''] = visitors
  for (const visitor of visitors) {
    const { status, rateLimit, policy } = await ask(visitor)
    expect(status).toBe(200)
    expect(rateLimit).toMatch(/^"default";r=99;t=(?:59|60)$/)
    expect(policy).toBe('"default";q=100;w=60')
  }
  for (let request = 2; request <= 100; request++) expect((await ask(first)).status).toBe(200)
  const refused = await ask(first)
  expect(refused.status).toBe(429)
  expect(refused.rateLimit).toMatch(/^"default";r=0;t=\d+$/)
  expect(Number(refused.retryAfter)).toBeGreaterThan(0)
  for (const visitor of visitors.slice(1)) expect((await ask(visitor)).status).toBe(200)
}

/** Asks a server from an address of the loopback network, which is a visitor's own. */
export async function askFrom(port: number, localAddress: string, path = '/'): Promise<Answer> {
  // A header that the visitor invents.
  const headers = { 'x-forwarded-for': `192.0.2.${Math.floor(Math.random() * 255)}` }
  const sent = send({ host: '127.0.0.1', port, path, localAddress, headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  return answerOf({ status: response.statusCode, headers: new Headers(response.headers) })
}
