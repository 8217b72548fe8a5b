/**
 * Our own gateway in a process of its own, so that it takes no time from what is measured: once
 * near, once as far away as the bench wants, beside a Redis that is as far. Counts HTTP requests.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { redisBackend } from '../../src/gateway/backend.ts'
import { commandFilter } from '../../src/gateway/command-filter.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import { listen } from '../../src/gateway/server.ts'
import { relay } from './relay.ts'
import { headerStripper } from './strip-header.ts'

const [, , redisUrl = '', oneWay = ''] = process.argv

// No probe: what Redis is asked is counted.
const backend = redisBackend(redisUrl, {
  log: console.error,
  socketTimeout: 5000,
  pingInterval: 3_600_000,
})
const token = crypto.randomUUID()
const app = gateway({
  redis: backend,
  tokens: [token],
  commandFilter: commandFilter(['all']),
  log: undefined,
})
const strip = headerStripper()
let requests = 0

const server = await listen({
  handle(ask) {
    requests++
    if (ask.method !== 'POST') return app(ask)
    const stripped = async () => strip(JSON.parse(`${await ask.body()}`))
    return app({ ...ask, body: async () => Buffer.from(JSON.stringify(await stripped())) })
  },
  host: '127.0.0.1',
  port: 0,
})
while (!backend.isAvailable) await sleep(5)

const portOf = (url: string) => Number(new URL(url).port)
const far = async (url: string) => {
  const moved = new URL(url)
  moved.port = `${await relay(portOf(url), Number(oneWay))}`
  return moved.href.replace(/\/$/, '')
}

process.on('message', () => process.send?.({ requests }))
process.on('disconnect', () => process.exit())
process.send?.({
  url: server.url,
  token,
  far: await far(server.url),
  farRedis: await far(redisUrl),
})
