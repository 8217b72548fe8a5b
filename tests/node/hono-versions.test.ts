import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../src/adapters/hono.ts'
import { memory } from '../../src/index.ts'

/** What is used of a version of Hono. Its types differ from version to version. */
interface Version {
  readonly Hono: new () => App
  readonly cors: () => unknown
  readonly bearerAuth: (options: { token: string }) => unknown
  /** Since 4.4. */
  readonly some?: (...middleware: unknown[]) => unknown
}

interface App {
  use(...middleware: unknown[]): App
  get(path: string, handler: (c: { text(text: string): Response }) => Response): App
  request(path: string, init?: RequestInit): Promise<Response>
}

const VERSIONS: Readonly<Record<string, boolean>> = {
  'hono-4.0': false,
  'hono-4.6': true,
  'hono-4.12': true,
  hono: true,
}

async function load(name: string, hasCombine: boolean): Promise<Version> {
  const { Hono } = await import(name)
  const { cors } = await import(`${name}/cors`)
  const { bearerAuth } = await import(`${name}/bearer-auth`)
  const { some } = hasCombine ? await import(`${name}/combine`) : {}
  return { Hono, cors, bearerAuth, some }
}

const limited = () =>
  rateLimit({ limit: 1, window: '1m', client: () => ({ plain: 'a' }), store: memory() })

for (const [name, hasCombine] of Object.entries(VERSIONS)) {
  describe(`with ${name}`, async () => {
    const { Hono, cors, bearerAuth, some } = await load(name, hasCombine)

    test('a request over the limit gets 429, and every response its fields', async () => {
      const app = new Hono().use('/*', limited()).get('/', (c) => c.text('ok'))
      const first = await app.request('/')
      expect([first.status, first.headers.get('ratelimit')]).toEqual([200, '"default";r=0;t=60'])
      const second = await app.request('/')
      expect(second.status).toBe(429)
      expect(second.headers.get('content-type')).toBe('application/problem+json')
      expect(second.headers.get('ratelimit')).toBe('"default";r=0;t=60')
    })

    test('a script of another origin can read a refusal after cors()', async () => {
      const app = new Hono().use('/*', cors(), limited()).get('/', (c) => c.text('ok'))
      const init = { headers: { origin: 'https://example.com' } }
      await app.request('/', init)
      const refused = await app.request('/', init)
      expect(refused.status).toBe(429)
      expect(refused.headers.get('access-control-allow-origin')).toBe('*')
      expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After')
    })

    if (some) {
      test('a limiter in some() refuses whom bearerAuth() does not know', async () => {
        const gate = some(bearerAuth({ token: 'secret' }), limited())
        const app = new Hono().use('/*', gate).get('/', (c) => c.text('ok'))
        expect((await app.request('/')).status).toBe(200)
        expect((await app.request('/')).status).toBe(429)
        const known = await app.request('/', { headers: { authorization: 'Bearer secret' } })
        expect(known.status).toBe(200)
      })
    }
  })
}
