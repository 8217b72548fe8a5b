/** The recipes of docs/hosts.md, run on their hosts, or called as their hosts call them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { freePort } from '../support/listen.ts'
import { blocksOf, installDocsCode } from './support/docs-code.ts'
import { programs } from './support/programs.ts'
import { answerOf, askFrom, expectFiveBuckets } from './support/visitors.ts'

const gateway = inject('gateway')
const variables = {
  UPSTASH_REDIS_REST_URL: gateway.url,
  UPSTASH_REDIS_REST_TOKEN: gateway.token,
}
Object.assign(process.env, variables)

const peers = ['hono', 'express', 'fastify', 'ioredis', 'react-router', '@trpc/server']
const { folder, load, remove } = installDocsCode(['docs/hosts.md'], ...peers)
const host = programs()
const stops: (() => unknown)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
  await host.stop()
  for (const name of Object.keys(variables)) delete process.env[name]
  remove()
})

let hosts = 0

/** Five addresses for each host, since all recipes count in one store. */
const visitorsOf = (network: string) => {
  hosts++
  return Array.from({ length: 5 }, (_, index) => `${network}.${10 * hosts + index}`)
}

describe('five visitors get five buckets of their own', () => {
  test('on Express', async () => {
    const { app } = await load('hosts/express.ts')
    const server = app.listen(0, '127.0.0.1')
    stops.push(() => server.close())
    await once(server, 'listening')
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(server.address().port, ip))
  })

  test('on Fastify', async () => {
    const { app } = await load('hosts/fastify.ts')
    await app.listen({ port: 0, host: '127.0.0.1' })
    stops.push(() => app.close())
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(app.server.address().port, ip))
  })

  const RUNTIMES = {
    Bun: (port: number) => ({
      command: ['node_modules/.bin/bun', 'bun.ts'],
      env: { PORT: `${port}` },
    }),
    Deno: (port: number) => ({
      command: [
        'node_modules/.bin/deno',
        ...['serve', '--no-prompt', '--host', '127.0.0.1', '--port', `${port}`],
        ...['--allow-net', '--allow-env', 'deno.ts'],
      ],
      env: {},
    }),
  }
  for (const [name, programOf] of Object.entries(RUNTIMES)) {
    test(`on ${name}`, async () => {
      const port = await freePort()
      const { command, env } = programOf(port)
      const [program = '', ...args] = command
      await host.serve(resolve(program), args, /listening|started/i, {
        cwd: join(folder, 'hosts'),
        env: { ...variables, ...env },
      })
      await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(port, ip))
    })
  }

  test('in a Worker', async () => {
    const script = await bundle({ entryPoints: [join(folder, 'hosts/worker.ts')] })
    const objects = { TIDEGATE: 'TidegateObject' }
    const worker = await startWorker({ script, objects })
    stops.push(worker.stop)
    await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) =>
      answerOf(await worker.fetch('/', { headers: { 'cf-connecting-ip': ip } })),
    )
  })

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
    await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) => {
      const headers = { 'x-forwarded-for': `192.0.2.1, ${ip}` }
      return answerOf(await handle(new Request('http://localhost/', { headers })))
    })
  })

  test('by Hono on Node', async () => {
    const { serve } = await import('@hono/node-server')
    const { default: app } = await load('hosts/hono.ts')
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    stops.push(() => server.close())
    if (!server.listening) await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(port, ip, '/api/hello'))
  })

  test('in an Edge Function, called as Netlify calls it', async () => {
    Object.assign(globalThis, { Netlify: { env: { toObject: () => ({ ...variables }) } } })
    stops.push(() => Reflect.deleteProperty(globalThis, 'Netlify'))
    const { default: handler } = await load('hosts/netlify.ts')
    await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) => {
      const context = { ip, next: async () => new Response('page'), waitUntil() {} }
      return answerOf(await handler(new Request('https://example.com/api/hello'), context))
    })
  })

  test('in a function, called as AWS Lambda calls it', async () => {
    const { handler } = await load('hosts/lambda.ts')
    await expectFiveBuckets(visitorsOf('203.0.113'), async (sourceIp) => {
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

test('the page shows the files of the examples as they are', () => {
  const shown = blocksOf('docs/hosts.md').filter(({ name }) => name?.startsWith('examples/'))
  expect(shown.map(({ name }) => name?.split('/')[1])).toEqual([
    'sveltekit',
    'astro',
    'nitro',
    'nuxt',
  ])
  for (const { name, code } of shown) expect(code).toBe(readFileSync(`${name}`, 'utf8'))
})

test('a handler of tRPC counts each call of a batch', async () => {
  const { fetchRequestHandler } = await import('@trpc/server/adapters/fetch')
  const { t, limited } = await load('hosts/trpc.ts')
  const router = t.router({ hello: limited.query(() => 'hello') })
  const ask = async (ip: string, calls: number) => {
    const path = Array(calls).fill('hello').join()
    const req = new Request(`http://localhost/trpc/${path}?batch=1&input={}`)
    const createContext = () => ({ request: req, ip })
    const response = await fetchRequestHandler({ endpoint: '/trpc', req, router, createContext })
    const answers: { error?: { data: { code: string } } }[] = await response.json()
    return answers.map(({ error }) => error?.data.code)
  }
  const visitors = visitorsOf('203.0.113')
  for (const visitor of visitors) expect(await ask(visitor, 1)).toEqual([undefined])
  const [first = '', second = ''] = visitors
  expect(await ask(first, 99)).toEqual(Array(99).fill(undefined))
  expect(await ask(first, 2)).toEqual(['TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS'])
  expect(await ask(second, 1)).toEqual([undefined])
})

test('a proxy that Express trusts tells the visitor’s address', async () => {
  const { app } = await load('hosts/express.ts')
  app.set('trust proxy', 1)
  const server = app.listen(0, '127.0.0.1')
  stops.push(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`
  await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) =>
    answerOf(await fetch(url, { headers: { 'x-forwarded-for': `192.0.2.1, ${ip}` } })),
  )
})
