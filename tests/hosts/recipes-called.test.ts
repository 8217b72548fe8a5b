/** The recipes of docs/hosts.md that are functions, called as their hosts call them. */
import { afterAll, describe, expect, test } from 'vitest'
import { installRecipes } from './support/recipes.ts'
import { answerOf, expectFiveBuckets } from './support/visitors.ts'

/** The mark of Vercel's runtimes, by which they tell of the request that they handle. */
const VERCEL = Symbol.for('@vercel/request-context')

const { load, variables, visitorsOf, remove } = installRecipes('react-router', '@trpc/server')
afterAll(() => {
  for (const name of [VERCEL, 'Netlify']) Reflect.deleteProperty(globalThis, name)
  remove()
})

describe('five visitors get five buckets of their own', () => {
  for (const [name, exported] of [
    ['next', 'proxy'],
    ['vercel', 'default'],
  ] as const) {
    test(`in ${name}.ts, called as on Vercel`, async () => {
      Object.assign(globalThis, { [VERCEL]: { get: () => ({ headers: {} }) } })
      const { [exported]: middleware } = await load(`hosts/${name}.ts`)
      await expectFiveBuckets(visitorsOf('198.51.100'), async (ip) => {
        const headers = { 'x-vercel-forwarded-for': ip, 'x-forwarded-for': '192.0.2.1' }
        const request = new Request('https://example.com/api/hello', { headers })
        return answerOf(await middleware(request, { waitUntil() {} }))
      })
      Reflect.deleteProperty(globalThis, VERCEL)
    })
  }

  test('in a handler of React Router', async () => {
    const { createRequestHandler } = await import('react-router')
    const { middleware } = await load('hosts/react-router.ts')
    const root = {
      id: 'root',
      path: '',
      module: { middleware, default: () => null, loader: () => 1 },
    }
    const page = (_: Request, status: number, headers: Headers) =>
      new Response('page', { status, headers })
    const build = {
      entry: { module: { default: page } },
      routes: { root },
      assets: { entry: { imports: [], module: '' }, routes: {}, url: '', version: '' },
      publicPath: '/',
      assetsBuildDirectory: '',
      future: {},
      ssr: true,
      isSpaMode: false,
      prerender: [],
      routeDiscovery: { mode: 'initial', manifestPath: '/__manifest' },
    }
    const handle = createRequestHandler(build as never, 'production')
    await expectFiveBuckets(visitorsOf('198.51.100'), async (ip) => {
      const headers = { 'x-forwarded-for': `192.0.2.1, ${ip}` }
      return answerOf(await handle(new Request('http://localhost/', { headers })))
    })
  })

  test('in an Edge Function, called as Netlify calls it', async () => {
    Object.assign(globalThis, { Netlify: { env: { toObject: () => ({ ...variables }) } } })
    const { default: handler } = await load('hosts/netlify.ts')
    await expectFiveBuckets(visitorsOf('198.51.100'), async (ip) => {
      const context = { ip, next: async () => new Response('page'), waitUntil() {} }
      return answerOf(await handler(new Request('https://example.com/api/hello'), context))
    })
  })

  test('in a function, called as AWS Lambda calls it', async () => {
    const { handler } = await load('hosts/lambda.ts')
    await expectFiveBuckets(visitorsOf('198.51.100'), async (sourceIp) => {
      const { statusCode, headers } = await handler({
        version: '2.0',
        rawPath: '/api/hello',
        rawQueryString: 'a=1',
        headers: { accept: '*/*', 'x-forwarded-for': '192.0.2.1' },
        requestContext: { http: { method: 'GET', path: '/api/hello', sourceIp } },
        isBase64Encoded: false,
      })
      return answerOf({ status: statusCode, headers: new Headers(headers) })
    })
  })
})

describe('a handler of tRPC', () => {
  const ask = async (ip: string, calls: number, headers: HeadersInit = {}) => {
    const { handler } = await load('hosts/trpc.ts')
    const path = Array(calls).fill('hello').join()
    const url = `http://localhost/trpc/${path}?batch=1&input={}`
    const response: Response = await handler(new Request(url, { headers }), ip)
    return response
  }

  /** The code of each call's error. */
  const codesOf = async (response: Response) => {
    const answers: { error?: { data: { code: string } } }[] = await response.json()
    return answers.map(({ error }) => error?.data.code)
  }

  test('gives five visitors five buckets', async () => {
    await expectFiveBuckets(visitorsOf('198.51.100'), async (ip) => answerOf(await ask(ip, 1)))
  })

  test('counts each call of a batch', async () => {
    const [first = '', second = ''] = visitorsOf('198.51.100')
    expect(await codesOf(await ask(first, 99))).toEqual(Array(99).fill(undefined))
    const codes = await codesOf(await ask(first, 3))
    expect(codes.sort()).toEqual(['TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS', undefined])
    expect(await codesOf(await ask(second, 1))).toEqual([undefined])
  })

  test('sends no fields with a batch that is streamed', async () => {
    const [first = ''] = visitorsOf('198.51.100')
    const streamed = await ask(first, 2, { 'trpc-accept': 'application/jsonl' })
    expect(await streamed.text()).toContain('hello')
    expect(answerOf(streamed).rateLimit).toBeNull()
    expect(answerOf(await ask(first, 1)).rateLimit).toMatch(/^"default";r=97;/)
  })
})
