import { Hono } from 'hono'

/** The floor: no limiter. */
export function app(): Hono {
  const app = new Hono()
  app.get('/', (c) => c.text('ok'))
  return app
}
