/**
 * A Worker that limits each path in another way. All REST limiters count in one store, so they share
 * what the isolate knows.
 */
import { Hono } from 'hono'
import {
  type RateLimitOptions,
  type RateLimitVariables,
  rateLimit,
} from '../../src/adapters/hono.ts'
import { durableObject, type ObjectNamespace, TidegateObject } from '../../src/durable-object.ts'
import { createLimiter } from '../../src/index.ts'
import { batching, type UpstashOptions, upstash } from '../../src/stores/upstash.ts'
import { measureStall } from './measure-stall.ts'
import { faultyObjects, type ObjectFault } from './objects.ts'
import { CLIENT_FIELD, CONTROL, INSIDE_FIELD, type LimitedPath } from './paths.ts'
import { startWatch } from './watch.ts'

export { TidegateObject }

interface Env {
  readonly URL: string
  readonly TOKEN: string
  readonly TIDEGATE: ObjectNamespace
}

const watch = startWatch()
let objectFault: ObjectFault = 'none'

const client = (request: Request) => ({ plain: request.headers.get(CLIENT_FIELD) ?? '' })
const over =
  (options?: Pick<UpstashOptions, 'batch'>) =>
  ({ URL: url, TOKEN: token }: Env) =>
    upstash({ url, token }, options)
const store = over()
const inBatches = over({ batch: batching({ wait: 2 }) })

const LIMITS: Readonly<Record<Exclude<LimitedPath, 'fresh'>, RateLimitOptions<Env>>> = {
  strict: { name: 'strict', limit: 30, window: '2s', client, store },
  lease: { name: 'lease', limit: 2000, window: '1m', client, store, lease: true },
  batch: { name: 'batch', limit: 30, window: '10s', client, store: inBatches },
  open: { name: 'open', limit: 30, window: '5s', client, store, fallback: 'open' },
  several: {
    policies: [
      { name: 'burst', limit: 10, window: '1s', client },
      { name: 'minute', limit: 60, window: '1m', client, fallback: { local: 0.25 } },
    ],
    store,
  },
  object: {
    name: 'object',
    limit: 30,
    window: '10s',
    client,
    store: ({ TIDEGATE }) =>
      durableObject(
        faultyObjects(TIDEGATE, () => objectFault),
        { shards: 4 },
      ),
  },
}

const app = new Hono<{ Bindings: Env; Variables: RateLimitVariables }>()
app.use(async (c, next) => {
  const start = performance.now()
  await next()
  c.res.headers.set(INSIDE_FIELD, `${performance.now() - start}`)
})
for (const [path, options] of Object.entries(LIMITS)) app.use(`/${path}`, rateLimit(options))
// A limiter of its own for each request, as a client that belongs to its request needs it.
app.use('/fresh', (c, next) =>
  rateLimit<Env>({ name: 'fresh', limit: 30, window: '3s', client, store })(c, next),
)
app.get(CONTROL.watch, (c) => c.json(watch()))
app.get(CONTROL.stall, async (c) => c.json(await measureStall()))
app.get(CONTROL.reject, (c) => {
  Promise.reject(new Error('on purpose'))
  return c.text('rejected')
})
app.post(CONTROL.objects, async (c) => {
  objectFault = await c.req.json()
  return c.text('set')
})
// Fills what an isolate remembers, so that memory that only grows until then is not taken for a leak.
app.post(CONTROL.fill, async (c) => {
  const policy = { name: 'fill', limit: 9, window: '10s' } as const
  const filler = createLimiter<Env>({ ...policy, store: inBatches, timeout: '30s' })
  const [from = 0, count = 0] = await c.req.json<readonly number[]>()
  const request = new Request(c.req.url)
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  const checks = Array.from({ length: count }, (_, index) =>
    filler.check(request, { env: c.env, waitUntil, client: { plain: `fill-${from + index}` } }),
  )
  const decisions = await Promise.all(checks)
  return c.json(decisions.filter(({ source }) => source === 'store').length)
})
app.get('*', (c) => c.text('ok'))

export default app
