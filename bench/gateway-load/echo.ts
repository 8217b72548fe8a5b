/** The server that the gateway is measured against: the same parts, and nothing behind them. */
import { listen } from '../../src/gateway/server.ts'

const headers = { 'content-type': 'application/json', 'upstash-sync-token': 'tidegate' }
const { url } = await listen({
  async handle(ask) {
    const command: unknown = JSON.parse((await ask.body()).toString())
    const body = JSON.stringify({ result: Array.isArray(command) ? command.length : 0 })
    return { status: 200, headers, body }
  },
  host: '127.0.0.1',
  port: 0,
})
console.log(`echo: listening on ${url}`)
