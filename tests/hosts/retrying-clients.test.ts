import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import got from 'got'
import ky from 'ky'
import { Agent, RetryAgent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLimiter, memory } from '../../src/index.ts'
import { listenLocally } from '../support/listen.ts'

/** One request a second for each path. */
const limiter = createLimiter({
  limit: 1,
  window: '1s',
  client: ({ url }) => ({ plain: new URL(url).pathname.slice(1) }),
  store: memory(),
})

interface Arrival {
  readonly path: string
  readonly at: number
  readonly status: number
  /** In ms: what `Retry-After` said. */
  readonly wait: number
}
const arrivals: Arrival[] = []

const server = createServer(async (incoming, outgoing) => {
  const path = incoming.url ?? '/'
  const at = performance.now()
  const incomingRequest = new Request(`http://localhost${path}`)
  const decision = await limiter.check(incomingRequest)
  const response = decision.allowed
    ? limiter.mark(new Response('ok'), decision)
    : limiter.refuse(decision, incomingRequest)
  const wait = Number(response.headers.get('retry-after')) * 1000
  arrivals.push({ path, at, status: response.status, wait })
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(await response.text())
})
let url = ''

beforeAll(async () => {
  url = `http://127.0.0.1:${await listenLocally(server)}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const agent = new RetryAgent(new Agent())

/** How each client gets a page, with the retries of its defaults where it has any. */
const CLIENTS: Readonly<Record<string, (url: string) => Promise<string>>> = {
  ky: (url) => ky.get(url).text(),
  got: (url) => got.get(url).text(),
  'the RetryAgent of undici': async (url) =>
    (await request(url, { dispatcher: agent })).body.text(),
  'curl --retry': async (url) =>
    (await promisify(execFile)('curl', ['--silent', '--fail', '--retry', '3', url])).stdout,
}

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
)

describe.concurrent('a client that is refused waits as it is told, and succeeds', () => {
  for (const [name, get] of Object.entries(CLIENTS)) {
    test(name, async (context) => {
      if (name.startsWith('curl') && !hasCurl) context.skip('curl is not installed')
      const path = `/${crypto.randomUUID()}`
      expect(await get(url + path)).toBe('ok')
      expect(await get(url + path)).toBe('ok')
      const [first, refused, retried, ...more] = arrivals.filter((one) => one.path === path)
      expect([first?.status, refused?.status, retried?.status]).toEqual([200, 429, 200])
      expect(more).toEqual([])
      // A timer of Node may fire a millisecond early.
      const waited = (retried?.at ?? 0) - (refused?.at ?? 0)
      expect(waited).toBeGreaterThanOrEqual((refused?.wait ?? Number.NaN) - 1)
    })
  }
})
