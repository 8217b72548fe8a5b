import { Hono } from 'hono'
import { type RateLimitVariables, rateLimit } from '../../../src/adapters/hono.ts'
import type { Store } from '../../../src/index.ts'
import { upstash } from '../../../src/stores/upstash.ts'
import { CLIENT, DECIDED, LEFT, LIMIT, type StorePlace, WINDOW_MS } from '../quota.ts'

/** With its defaults, over REST. */
export const app = ({ url, token }: StorePlace) => tidegate(upstash({ url, token }))

export function tidegate(store: Store) {
  const app = new Hono<{ Variables: RateLimitVariables }>()
  app.use(async (c, next) => {
    await next()
    const { source = '', policies = [] } = c.get('rateLimit') ?? {}
    c.header(DECIDED, ['store', 'lease', 'known'].includes(source) ? 'store' : 'here')
    c.header(LEFT, `${policies[0]?.remaining ?? 0}`)
  })
  app.use(
    rateLimit({
      limit: LIMIT,
      window: WINDOW_MS,
      client: (request) => ({ plain: request.headers.get(CLIENT) ?? '' }),
      store,
    }),
  )
  app.get('/', (c) => c.text('ok'))
  return app
}
