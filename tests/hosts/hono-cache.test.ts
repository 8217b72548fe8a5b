import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'

/** Each path has the cache of Hono and a limiter in another order. The handler counts its calls. */
const APP = `
import { Hono } from 'hono'
import { cache } from 'hono/cache'
import { rateLimit } from './src/adapters/hono.ts'
import { memory } from './src/index.ts'

const store = memory()
const limit = (name, headers = 'draft-11') =>
  rateLimit({ name, limit: 9, window: '1m', store, headers })
const cached = (cacheControl) => cache({ cacheName: 'pages', cacheControl, wait: true })
let calls = 0
const page = (c) => c.text(String(++calls))

export default new Hono()
  .get('/behind', limit('behind'), cached('max-age=60'), page)
  .get('/around', cached('max-age=60'), limit('around'), page)
  .get('/public', cached(), limit('public'), (c) => {
    c.header('Cache-Control', 'public, max-age=60')
    return page(c)
  })
  .get('/silent', cached('max-age=60'), limit('silent', []), page)
`

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  const script = await bundle({ stdin: { contents: APP, resolveDir: process.cwd() } })
  worker = await startWorker({ script })
})
afterAll(() => worker.stop())

/** Whether the second of two requests gets the stored page, and the numbers that both get. */
async function twice(path: string) {
  const [first, second] = [await worker.fetch(path), await worker.fetch(path)]
  return {
    isStored: (await first.text()) === (await second.text()),
    remaining: [first, second].map(
      ({ headers }) => /r=(\d)/.exec(headers.get('ratelimit') ?? '')?.[1],
    ),
  }
}

test("Hono's cache behind the limiter stores pages, and each visitor gets numbers of its own", async () => {
  expect(await twice('/behind')).toEqual({ isStored: true, remaining: ['8', '7'] })
})

test("Hono's cache around the limiter stores no page with the numbers of a visitor", async () => {
  expect(await twice('/around')).toEqual({ isStored: false, remaining: ['8', '7'] })
})

test("Hono's cache around the limiter stores pages that are public or have no fields", async () => {
  const silent = { isStored: true, remaining: [undefined, undefined] }
  expect(await twice('/public')).toEqual(silent)
  expect(await twice('/silent')).toEqual(silent)
})
