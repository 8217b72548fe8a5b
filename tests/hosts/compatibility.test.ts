/** What ships to Workers, in a Worker whose compatibility date is older than any change to them. */
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker, type WorkerOptions } from '../../scripts/workerd.ts'
import { startOrigin } from '../support/origin.ts'

/** The first changes that a date switches on are of 2021. */
const OLDEST = '2020-01-01'

const origin = await startOrigin((request, response) => response.end(request.url))
const stops: (() => unknown)[] = [origin.stop]
afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
})

async function start(contents: string, options: Omit<WorkerOptions, 'script'> = {}) {
  const script = await bundle({ stdin: { contents, resolveDir: process.cwd(), loader: 'ts' } })
  const worker = await startWorker({ script, compatibilityDate: OLDEST, ...options })
  stops.push(worker.stop)
  return worker
}

/** Sends a path as it is: `fetch` would write it anew. */
async function ask(to: URL, path: string) {
  const { hostname: host, port } = to
  const [response] = await once(request({ host, port, path }).end(), 'response')
  return { status: response.statusCode, body: await text(response) }
}

/** A Worker around `createLimiter` that tells who decided. */
const counting = (store: string) => `
  import { createLimiter } from './src/index.ts'
  import { durableObject } from './src/durable-object.ts'
  import { upstash } from './src/stores/upstash.ts'
  export { TidegateObject } from './src/durable-object.ts'
  const limiter = createLimiter({
    limit: 2,
    window: '1m',
    name: 'compatibility-${crypto.randomUUID()}',
    client: () => ({ plain: 'a' }),
    store: (env) => ${store},
    onStoreEvent: () => {},
  })
  export default {
    async fetch(request, env, context) {
      const waitUntil = (work) => context.waitUntil(work)
      const { allowed, source } = await limiter.check(request, { env, waitUntil })
      return Response.json({ allowed, source })
    },
  }`

describe('on the oldest compatibility date', () => {
  test('the middleware for Hono limits', async () => {
    const { fetch } = await start(`
      import { Hono } from 'hono'
      import { rateLimit } from './src/adapters/hono.ts'
      import { header, memory } from './src/index.ts'
      const app = new Hono()
      const client = header('x-api-key')
      app.use('/api/*', rateLimit({ limit: 1, window: '1m', client, store: memory() }))
      app.get('/api/a', (c) => c.text('hello'))
      export default app`)
    const first = await fetch('/api/a', { headers: { 'x-api-key': 'a' } })
    expect([await first.text(), first.headers.get('ratelimit')]).toEqual([
      'hello',
      '"default";r=0;t=60',
    ])
    const second = await fetch('/api/a', { headers: { 'x-api-key': 'a' } })
    expect(second.status).toBe(429)
    expect(await second.json()).toMatchObject({ status: 429, 'violated-policies': ['default'] })
  })

  test('the store for Upstash counts', async () => {
    const { url, token } = inject('gateway')
    const { fetch } = await start(counting('upstash({ url: env.STORE, token: env.TOKEN })'), {
      env: { STORE: url, TOKEN: token },
    })
    expect(await (await fetch('/')).json()).toEqual({ allowed: true, source: 'store' })
    expect(await (await fetch('/')).json()).toEqual({ allowed: true, source: 'store' })
    expect(await (await fetch('/')).json()).toMatchObject({ allowed: false })
  })

  test('the Durable Object counts, though such a Worker cannot call its methods', async () => {
    const { fetch } = await start(counting('durableObject(env.TIDEGATE)'), {
      objects: { TIDEGATE: 'TidegateObject' },
    })
    expect(await (await fetch('/')).json()).toEqual({ allowed: true, source: 'store' })
    expect(await (await fetch('/')).json()).toEqual({ allowed: true, source: 'store' })
    expect(await (await fetch('/')).json()).toMatchObject({ allowed: false })
  })

  test('the Worker in front of an origin passes every URL on as it came', async () => {
    const { url } = await start("export { default, TidegateObject } from './src/worker.ts'", {
      env: {
        ORIGIN_URL: origin.url,
        POLICIES: [
          { name: 'all', limit: 100, window: '1m' },
          { name: 'api', limit: 1, window: '1m', match: '/api/*' },
        ],
      },
      objects: { TIDEGATE: 'TidegateObject' },
    })
    for (const path of [
      '/a%2fb?x=%20+%2f',
      '/%ff%fe',
      '/%zz',
      '/100%',
      '/a?discount=100%&b=c',
      '//a//b/',
      '/?',
      '/?a=b?c=d',
    ]) {
      expect(await ask(url, path)).toEqual({ status: 200, body: path })
    }
    expect(await ask(url, '/%61pi/100%')).toEqual({ status: 200, body: '/%61pi/100%' })
    expect(await ask(url, '/api/x')).toMatchObject({ status: 429 })
  })
})
