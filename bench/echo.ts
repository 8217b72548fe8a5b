/** The server that the gateway is measured against: the same parts, and nothing behind them. */
import { Hono } from 'hono'
import { listen } from '../src/gateway/server.ts'

const app = new Hono()
app.post('/', async (c) => {
  const body: unknown = JSON.parse(Buffer.from(await c.req.arrayBuffer()).toString())
  return c.json({ result: Array.isArray(body) ? body.length : 0 })
})
const { url } = await listen({ fetch: (request) => app.fetch(request), host: '127.0.0.1', port: 0 })
console.log(`echo: listening on ${url}`)
