import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../src/adapters/next.ts'
import { memory } from '../../src/index.ts'

/** What a middleware with a limiter in front answers with. */
const answer = (respond: () => Response | undefined) =>
  rateLimit({ limit: 9, window: '1m', store: memory() }, respond)(
    new Request('https://example.com/'),
    undefined,
  )

describe('a middleware that tells the host to go on', () => {
  const instructions: Readonly<Record<string, () => Response | undefined>> = {
    'by returning nothing': () => undefined,
    'as NextResponse.next() does': () =>
      new Response(null, { headers: { 'x-middleware-next': '1' } }),
    'as NextResponse.rewrite() does': () =>
      new Response(null, { headers: { 'x-middleware-rewrite': 'https://example.com/b' } }),
  }
  for (const [kind, respond] of Object.entries(instructions)) {
    test(`leaves the page its own Cache-Control: ${kind}`, async () => {
      const { headers } = await answer(respond)
      expect(headers.get('ratelimit')).toBe('"default";r=8;t=60')
      expect(headers.has('cache-control')).toBe(false)
    })
  }
})

test('an answer of the middleware itself is private', async () => {
  const { headers } = await answer(() => new Response('by the middleware'))
  expect(headers.get('cache-control')).toBe('private')
})
