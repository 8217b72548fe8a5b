/**
 * The gateway in a process of its own, with a fault proxy between it and Redis, and one before it for
 * each isolate. Takes faults as messages, and answers each with what it counts.
 */
import { commandFilter } from '../../src/gateway/command-filter.ts'
import { startGateway } from '../../src/gateway/start.ts'
import { type Fault, NO_FAULT } from '../../tests/support/faults/fault.ts'
import { faultProxy } from '../../tests/support/faults/fault-proxy.ts'

export interface StoreQuestion {
  /** What each isolate meets from now on. */
  readonly http?: readonly Fault[]
  /** What the gateway meets from now on. */
  readonly redis?: Fault
}

export interface StoreAnswer {
  /** Connections of each isolate. */
  readonly sockets: readonly number[]
  /** Connections of the gateway to Redis. */
  readonly redisSockets: number
  /** HTTP calls of all isolates. */
  readonly calls: number
  /** Lines that the gateway has logged. */
  readonly lines: number
}

const [, , redisUrl = '', isolates = '', seed = ''] = process.argv

let lines = 0
const redisProxy = await faultProxy({ url: redisUrl, seed: Number(seed) })
const token = crypto.randomUUID()
const gateway = await startGateway(
  {
    redis: redisProxy.url,
    host: '127.0.0.1',
    port: 0,
    tokens: [token],
    commandFilter: commandFilter([]),
    tls: undefined,
    verbose: false,
  },
  () => void lines++,
)
const proxies = await Promise.all(
  Array.from({ length: Number(isolates) }, (_, index) =>
    faultProxy({ url: gateway.url, seed: Number(seed) + index + 1 }),
  ),
)

process.on('message', async ({ http, redis }: StoreQuestion) => {
  if (redis) await redisProxy.set(redis)
  if (http) {
    await Promise.all(proxies.map((proxy, index) => proxy.set(http[index] ?? NO_FAULT)))
  }
  const answer: StoreAnswer = {
    sockets: proxies.map(({ sockets }) => sockets),
    redisSockets: redisProxy.sockets,
    calls: proxies.reduce((sum, proxy) => sum + proxy.calls, 0),
    lines,
  }
  process.send?.(answer)
})
process.on('disconnect', () => process.exit())
process.send?.({ token, urls: proxies.map(({ url }) => url) })
