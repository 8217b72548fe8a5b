/** A Node server with a limiter over the gateway. Counts who decided, and what it admitted. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLimiter } from '../../src/limiter/limiter.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { plainTimerGuard } from './plain-timer-guard.ts'

const [, , timer = '', url = '', token = '', limit = ''] = process.argv

const store = upstash({ url, token })
const limiter = createLimiter({
  limit: Number(limit),
  window: '1h',
  client: (request) => ({ plain: new URL(request.url).pathname }),
  store: timer === 'plain' ? { ...store, guard: plainTimerGuard } : store,
  onStoreEvent: () => {},
})
/** In ms: what a request costs this process, such as a session that is decoded. */
const WORK_MS = 2

function work(): void {
  const end = performance.now() + WORK_MS
  while (performance.now() < end);
}

let admitted: Record<string, number> = {}

const server = createServer(async (request, response) => {
  work()
  const decision = await limiter.check(new Request(`http://localhost${request.url}`))
  if (decision.allowed) admitted[decision.source] = (admitted[decision.source] ?? 0) + 1
  response.writeHead(decision.allowed ? 200 : 429).end()
})
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)
process.on('message', () => {
  process.send?.(admitted)
  admitted = {}
})
process.on('disconnect', () => process.exit())
