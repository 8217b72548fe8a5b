import { once } from 'node:events'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { memory } from '../../src/stores/memory.ts'
import { compileGate, front } from '../../src/worker/front.ts'
import { freePort } from '../support/listen.ts'
import { startOrigin } from '../support/origin.ts'
import { startWsgi } from '../support/wsgi.ts'

const script = await bundle({ entryPoints: ['src/worker.ts'] })
const POLICIES = [{ name: 'all', limit: 100, window: '1m' }]

/** Cleared at the end, in the opposite order. */
const stops: (() => unknown)[] = []
afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
})

async function start(env: Readonly<Record<string, unknown>>, port = 0) {
  const worker = await startWorker({ script, env, port })
  stops.push(worker.stop)
  return worker
}

const origin = await startOrigin((request, response) => {
  switch (request.url?.split('?')[0]) {
    case '/echo':
      response.setHeader('content-type', request.headers['content-type'] ?? 'none')
      request.pipe(response)
      return
    case '/headers':
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(request.headers))
      return
    case '/redirect':
      response.writeHead(302, { location: '/elsewhere?a=b' }).end()
      return
    case '/cookies':
      response.setHeader('set-cookie', ['a=1; Path=/', 'b=2; HttpOnly'])
      response.end()
      return
    case '/gzip':
      response.setHeader('content-encoding', 'gzip')
      response.end(gzipSync('compressed by the origin'))
      return
    case '/gzip-part':
      response.writeHead(206, { 'content-encoding': 'gzip', 'content-range': 'bytes 4-9/44' })
      response.end(gzipSync('compressed by the origin').subarray(4, 10))
      return
    case '/file': {
      response.setHeader('accept-ranges', 'bytes')
      const [from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')?.slice(1) ?? []
      const body = '0123456789'.slice(Number(from ?? 0), Number(to ?? 9) + 1)
      response.setHeader('content-length', body.length)
      if (from) response.writeHead(206, { 'content-range': `bytes ${from}-${to}/10` })
      response.end(request.method === 'HEAD' ? undefined : body)
      return
    }
    case '/events':
      response.setHeader('content-type', 'text/event-stream')
      response.write('data: first\n\n')
      request.once('close', () => response.end())
      return
    case '/error':
      response.writeHead(503, { 'retry-after': '9' }).end('the origin is busy')
      return
    case '/hang':
      return
    case '/own-limit':
      response.setHeader('ratelimit', ['"all";r=1;t=9', '"origin";r=5;t=1'])
      response.setHeader('ratelimit-policy', '"origin";q=6;w=1, "all";q=2;w=9')
      response.end()
      return
    case '/cache': {
      const [, control] = request.url?.split('?') ?? []
      response.setHeader('cache-control', decodeURIComponent(`${control}`)).end()
      return
    }
    default:
      response.end('origin')
  }
})
stops.push(origin.stop)

const sockets = new WebSocketServer({ server: origin.server })
sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`echo ${text}`)))

/** An answer as it is on the wire: `fetch` would decompress it, and resolve the path. */
async function raw(path: string, headers: OutgoingHttpHeaders = {}, url = gate.url) {
  const options = { path, headers: { 'accept-encoding': 'gzip', ...headers } }
  const [response] = await once(request(url, options).end(), 'response')
  const { headers: received, statusCode } = response
  return { headers: received, statusCode, body: await buffer(response) }
}

const gate = await start({ POLICIES, ORIGIN_URL: origin.url })

describe('what may pass reaches the origin untouched', () => {
  test('a body is streamed there and back', async () => {
    const body = new Uint8Array(3_000_000).map((_, index) => index % 251)
    const headers = { 'content-type': 'application/x-binary' }
    const response = await gate.fetch('/echo', { method: 'POST', body, headers })
    expect(response.headers.get('content-type')).toBe('application/x-binary')
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(body)
  })

  test('an answer that never ends is passed on as it comes', async () => {
    const stop = new AbortController()
    const response = await gate.fetch('/events', { signal: stop.signal })
    const { value } = (await response.body?.getReader().read()) ?? {}
    expect(new TextDecoder().decode(value)).toBe('data: first\n\n')
    expect(response.headers.get('ratelimit')).toContain('"all";r=')
    stop.abort()
  })

  test('a redirect is handed to the client', async () => {
    const response = await gate.fetch('/redirect', { redirect: 'manual' })
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe('/elsewhere?a=b')
  })

  test('each cookie stays one', async () => {
    const response = await gate.fetch('/cookies')
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; HttpOnly'])
  })

  test('HEAD brings the length and no body', async () => {
    const response = await gate.fetch('/file', { method: 'HEAD' })
    expect(response.headers.get('content-length')).toBe('10')
    expect(await response.text()).toBe('')
  })

  test('a range is one', async () => {
    const response = await gate.fetch('/file', { headers: { range: 'bytes=2-5' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe('bytes 2-5/10')
    expect(await response.text()).toBe('2345')
  })

  test('compression is kept, of a whole and of a part that nobody could decompress', async () => {
    const whole = await raw('/gzip')
    expect(whole.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(whole.body).toString()).toBe('compressed by the origin')
    const part = await raw('/gzip-part', { range: 'bytes=4-9' })
    expect(part.statusCode).toBe(206)
    expect(part.body).toEqual(gzipSync('compressed by the origin').subarray(4, 10))
  })

  test('an upgrade to a WebSocket goes through, and is counted', async () => {
    const socket = new WebSocket(`${gate.url.href.replace('http', 'ws')}socket`)
    await once(socket, 'open')
    socket.send('hello')
    const [message] = await once(socket, 'message')
    expect(message.data).toBe('echo hello')
    socket.close()
    await once(socket, 'close')
  })

  test('an error of the origin is its own, with the fields added', async () => {
    const response = await gate.fetch('/error')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('9')
    expect(response.headers.get('ratelimit-policy')).toBe('"all";q=100;w=60')
    expect(await response.text()).toBe('the origin is busy')
  })

  test('an answer for shared caches has no fields, and any other with fields is private', async () => {
    const fieldsOf = async (control: string) => {
      const { headers } = await gate.fetch(`/cache?${encodeURIComponent(control)}`)
      return [headers.get('cache-control'), headers.has('ratelimit')]
    }
    expect(await fieldsOf('public, max-age=60')).toEqual(['public, max-age=60', false])
    expect(await fieldsOf('s-maxage=60')).toEqual(['s-maxage=60', false])
    expect(await fieldsOf('max-age=60')).toEqual(['max-age=60, private', true])
    expect(await fieldsOf('no-store')).toEqual(['no-store', true])
  })

  test('quotas of the origin stay beside ours, but for a policy that has the name of one of ours', async () => {
    const { headers } = await gate.fetch('/own-limit')
    expect(headers.get('ratelimit')).toMatch(/^"origin";r=5;t=1, "all";r=\d\d;t=\d+$/)
    expect(headers.get('ratelimit-policy')).toBe('"origin";q=6;w=1, "all";q=100;w=60')
  })

  test('quotas of the origin stay as they are where nothing of ours is sent', async () => {
    const silent = await start({
      POLICIES: [{ name: 'all', limit: 1, window: '1m', match: '/login' }],
      ORIGIN_URL: origin.url,
    })
    const { headers } = await silent.fetch('/own-limit')
    expect(headers.get('ratelimit')).toBe('"all";r=1;t=9, "origin";r=5;t=1')
  })

  test('the path of ORIGIN_URL stands before that of the request', async () => {
    const nested = await start({ POLICIES, ORIGIN_URL: `${origin.url}/echo/` })
    await nested.fetch('/a%2Fb//c?d=e%20f')
    expect(origin.requests.at(-1)?.url).toBe('/echo/a%2Fb//c?d=e%20f')
  })
})

describe('the origin is told', () => {
  const address = { 'cf-connecting-ip': '203.0.113.9' }
  const forged = {
    'x-forwarded-for': '198.51.100.9',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=198.51.100.9',
    'x-origin-secret': 'guessed',
    'x-real-ip': '198.51.100.9',
    'true-client-ip': '198.51.100.9',
    'x-original-url': '/admin',
    'x-forwarded-prefix': '/evil',
    ...address,
  }
  test('the address, scheme and host of the client, and nothing that the client says of them', async () => {
    const told = await (await gate.fetch('/headers', { headers: forged })).json()
    expect(told).toMatchObject({
      'x-forwarded-for': '203.0.113.9',
      'x-real-ip': '203.0.113.9',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': gate.url.host,
      host: new URL(origin.url).host,
    })
    for (const name of Object.keys(told)) {
      expect(['198.51.100.9', 'guessed', '/admin', '/evil']).not.toContain(told[name])
    }
  })

  /** In the spellings that CGI reads alike, and of other platforms. */
  const spellings = [
    'X_Forwarded_For',
    'X-Forwarded_Proto',
    'X.Forwarded.Host',
    'X_Real_IP',
    'X_Origin_Secret',
    'X-Origin_Secret',
    'X-Forwarded',
    'Forwarded-For',
    'X-Original-Forwarded-For',
    'X-Vercel-Forwarded-For',
    'Client-IP',
    'Client_IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'Proxy-Client-IP',
    'WL-Proxy-Client-IP',
    'True_Client_IP',
    'CF_Connecting_IP',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'X-NF-Client-Connection-IP',
    'X-Azure-ClientIP',
    'X-Azure-SocketIP',
    'X-Sucuri-ClientIP',
    'X-Appengine-User-IP',
    'X-ProxyUser-Ip',
    'X-Originating-IP',
    'X-Remote-IP',
    'X-Remote-Addr',
    'X-Envoy-External-Address',
    'CloudFront-Viewer-Address',
    'X-Original-Host',
    'X_Original_URL',
    'X_Rewrite_URL',
    'X-Host',
    'X-HTTP-Host-Override',
    'X-Scheme',
    'X-URL-Scheme',
    'Front-End-Https',
    'X-Script-Name',
    'SCRIPT_NAME',
    'PATH_INFO',
    'Proxy',
  ]
  const own = { 'X-Zip': 'kept', 'X-Device-IP': 'kept', X_Api_Key: 'kept', 'X-Client': 'kept' }

  test('nothing that WSGI would read as told by a proxy', async () => {
    const wsgi = await startWsgi()
    stops.push(wsgi.stop)
    const secret = 'known-to-the-gate-alone'
    const worker = await start({ POLICIES, ORIGIN_URL: wsgi.url, ORIGIN_SECRET: secret })
    const lies = Object.fromEntries(spellings.map((name) => [name, 'a lie']))
    const headers = { ...lies, ...own, 'accept-encoding': 'identity', ...address }
    const told = JSON.parse(`${(await raw('/', headers, worker.url)).body}`)
    expect(Object.keys(told).filter((name) => told[name].includes('a lie'))).toEqual([])
    expect(Object.keys(told).filter((name) => told[name] === 'kept')).toHaveLength(4)
    expect(told).toMatchObject({
      HTTP_X_FORWARDED_FOR: '203.0.113.9',
      HTTP_X_REAL_IP: '203.0.113.9',
      HTTP_X_FORWARDED_PROTO: 'http',
      HTTP_X_ORIGIN_SECRET: secret,
    })
  })

  test("no field of Cloudflare's where no Cloudflare is", async () => {
    const headers = { 'cf-connecting-ip': 'a lie', 'cf-connecting-ipv6': 'a lie', 'x-own': 'kept' }
    const asked = new Request('https://example.com/headers', { headers })
    const response = await front().fetch(asked, { POLICIES, ORIGIN_URL: origin.url })
    const told = await response.text()
    expect(told).toContain('kept')
    expect(told).not.toContain('a lie')
  })

  test('a secret that only the gate knows', async () => {
    const secret = 'known-to-the-gate-alone'
    const worker = await start({ POLICIES, ORIGIN_URL: origin.url, ORIGIN_SECRET: secret })
    const told = await (await worker.fetch('/headers', { headers: forged })).json()
    expect(told).toMatchObject({ 'x-origin-secret': secret })
  })
})

describe('what concerns the connection alone', () => {
  test('stays behind, as do the fields that Connection names', async () => {
    const headers = {
      connection: 'close, x-hop',
      'x-hop': '1',
      te: 'trailers',
      'x-other': '2',
      'accept-encoding': 'identity',
    }
    const { body } = await raw('/headers', headers)
    const told = JSON.parse(body.toString())
    expect(told).toHaveProperty('x-other')
    expect(told).not.toHaveProperty('x-hop')
    expect(told).not.toHaveProperty('te')
    const h2c = await raw('/headers', {
      connection: 'upgrade, http2-settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      'accept-encoding': 'identity',
    })
    expect(JSON.parse(h2c.body.toString())).not.toHaveProperty('upgrade')
  })

  test('and TRACE, by which an origin would tell the secret, is not passed on', async () => {
    const before = origin.requests.length
    const [response] = await once(request(gate.url, { method: 'TRACE' }).end(), 'response')
    expect(response.statusCode).toBe(405)
    response.resume()
    expect(origin.requests.length).toBe(before)
  })
})

describe('an origin that fails', () => {
  test('by not listening gives 502', async () => {
    const worker = await start({ POLICIES, ORIGIN_URL: `http://127.0.0.1:${await freePort()}` })
    const response = await worker.fetch('/')
    expect(response.status).toBe(502)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 502, title: 'Bad Gateway' })
  })

  test('by not answering gives 504', async () => {
    const worker = await start({ POLICIES, ORIGIN_URL: origin.url, ORIGIN_TIMEOUT: '200ms' })
    const response = await worker.fetch('/hang')
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ status: 504, title: 'Gateway Timeout' })
  })

  test('is not cut off when its answer goes on for longer than it took to begin', async () => {
    const slow = await startOrigin((_, response) => {
      response.write('begun, ')
      setTimeout(() => response.end('ended'), 400)
    })
    stops.push(slow.stop)
    const worker = await start({ POLICIES, ORIGIN_URL: slow.url, ORIGIN_TIMEOUT: '200ms' })
    expect(await (await worker.fetch('/')).text()).toBe('begun, ended')
  })
})

describe('without ORIGIN_URL', () => {
  const zone = { host: new URL(origin.url).host }

  test('a Worker on Cloudflare passes requests on to the origin of its zone', async () => {
    const worker = await start({ POLICIES })
    const headers = { ...zone, 'cf-ray': '230b030023ae2822', 'accept-encoding': 'identity' }
    const passed = await raw('/zone', headers, worker.url)
    expect([passed.statusCode, `${passed.body}`]).toEqual([200, 'origin'])
    expect(origin.requests.at(-1)?.url).toBe('/zone')
  })

  test('a local one says so: it passes nothing on by Host, and does not call itself', async () => {
    const worker = await start({ POLICIES })
    const before = origin.requests.length
    for (const headers of [zone, {}]) {
      const { statusCode, body } = await raw('/', headers, worker.url)
      expect(statusCode).toBe(500)
      expect(JSON.parse(`${body}`).detail).toContain('ORIGIN_URL is not set')
    }
    expect(origin.requests.length).toBe(before)
  })

  test('no other runtime passes requests on, whatever their fields', async () => {
    const asked = new Request(`${origin.url}/`, { headers: { 'cf-ray': '230b030023ae2822' } })
    const before = origin.requests.length
    const response = await front().fetch(asked, { POLICIES })
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('ORIGIN_URL is not set'),
    })
    expect(origin.requests.length).toBe(before)
  })
})

describe('a loop', () => {
  const lastField = () => `${origin.requests.at(-1)?.headers['cdn-loop']}`

  test('costs one unit when ORIGIN_URL names the Worker itself', async () => {
    const startAt = (port: number) =>
      start({ POLICIES, ORIGIN_URL: `http://127.0.0.1:${port}` }, port)
    // Another program may take the port before the Worker does.
    const self = await startAt(await freePort()).catch(async () => startAt(await freePort()))
    const response = await self.fetch('/')
    expect(response.status).toBe(508)
    expect(response.headers.get('ratelimit')).toMatch(/^"all";r=99;/)
    expect(await response.json()).toMatchObject({ title: 'Loop Detected', status: 508 })
  })

  test('costs one unit when another proxy leads back to the Worker', async () => {
    let port = ''
    const hop = await startOrigin((incoming, response) => {
      const options = { port, path: incoming.url, headers: { ...incoming.headers, host: 'hop' } }
      request(options, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      }).end()
    })
    stops.push(hop.stop)
    const worker = await start({ POLICIES, ORIGIN_URL: hop.url })
    port = worker.url.port
    const { statusCode, headers } = await raw('/', { host: 'hop' }, worker.url)
    expect(statusCode).toBe(508)
    expect(headers.ratelimit).toMatch(/^"all";r=99;/)
  })

  test('is no loop where one gate stands behind another, and all fields reach the origin', async () => {
    const inner = await start({ POLICIES, ORIGIN_URL: origin.url })
    const outer = await start({ POLICIES, ORIGIN_URL: inner.url.href })
    const headers = { 'cdn-loop': 'cdn.example', connection: 'cdn-loop' }
    expect((await raw('/', headers, outer.url)).statusCode).toBe(200)
    const names = lastField().split(', ')
    expect(names[0]).toBe('cdn.example')
    expect(new Set(names).size).toBe(3)
  })

  test('that a client feigns is refused, and passes no limit', async () => {
    await gate.fetch('/')
    const before = origin.requests.length
    const feigned = await gate.fetch('/', { headers: { 'cdn-loop': lastField() } })
    expect(feigned.status).toBe(508)
    expect(origin.requests.length).toBe(before)
  })
})

describe('a path that steps out', () => {
  const out = [
    '/..%2fadmin',
    '/..%5Cadmin',
    '/..;/admin',
    '/..;a=b%2fadmin',
    '/%252e%252e%252fadmin',
    '/%%32%65%%32%65%2fadmin',
    '/.%252e/admin',
    '/..%00/admin',
    '/..%20/admin',
    '/..%3b/admin',
    '/..%3f/admin',
    '/%c0%ae%c0%ae%c0%afadmin',
    '/%u002e%u002e%u002fadmin',
    '/%ef%bc%8e%ef%bc%8e/admin',
    '/a/..%2f..%2fadmin',
    '/a//..%2f..%2fadmin',
    '/a%252fb/..%2f..%2fadmin',
    '/;x/..%2fadmin',
    '/a%2f..%2f..%2fadmin',
    // For an origin that knows one of the spellings alone.
    '/x%5cy%2f..%2f..%2fadmin',
    '/a%252fb%2f..%2f..%2fadmin',
    '/a%%32fb%2f..%2f..%2fadmin',
  ]
  const within = [
    '/',
    '/a/..%2fb',
    '/a/../b',
    '/../b',
    '/v1...v2',
    '/...',
    '/..a/b..',
    '/a%2Fb;c=..',
    '/100%25',
    '/50%',
    '/files/https%3A%2F%2Fx.y%2Fa%2F..%2Fb',
    '/https%3A%2F%2Fx.y%2Fa%2F..%2Fb',
    '/a%2f..%2fb',
    '/.well-known/%E2%82%AC',
    '/?path=/..%2fa',
  ]

  test('of the folder in ORIGIN_URL gets 400 and does not reach the origin', async () => {
    const nested = await start({ POLICIES, ORIGIN_URL: `${origin.url}/app` })
    const before = origin.requests.length
    for (const path of out) {
      const { statusCode, body } = await raw(path, {}, nested.url)
      expect(statusCode, path).toBe(400)
      expect(JSON.parse(`${body}`)).toMatchObject({ title: 'Bad Request', status: 400 })
    }
    expect(origin.requests.length).toBe(before)
    for (const path of within) {
      expect((await raw(path, {}, nested.url)).statusCode, path).toBe(200)
      expect(origin.requests.at(-1)?.url, path).toMatch(/^\/app\//)
    }
  })

  test('is passed on as it came where ORIGIN_URL has no folder to step out of', async () => {
    for (const path of out.filter((one) => one.includes('..%2f') || one.includes(';'))) {
      expect((await raw(path)).statusCode, path).toBe(200)
      expect(origin.requests.at(-1)?.url, path).toBe(path)
    }
  })
})

describe('what may not pass', () => {
  test('is refused before the origin hears of it, by the policy that its path and method have', async () => {
    const worker = await start({
      ORIGIN_URL: origin.url,
      POLICIES: JSON.stringify([
        { name: 'sync', limit: 2, window: '1m', match: '/api/user/sync', methods: ['POST'] },
        { name: 'keys', limit: 1, window: '1m', match: '/v1/*', client: { header: 'x-api-key' } },
      ]),
    })
    const before = origin.requests.length
    const sync = async () => (await worker.fetch('/api/user/sync', { method: 'POST' })).status
    expect([await sync(), await sync(), await sync()]).toEqual([200, 200, 429])
    const key = async (value: string) =>
      (await worker.fetch('/v1/a', { headers: { 'x-api-key': value } })).status
    expect([await key('a'), await key('b'), await key('a')]).toEqual([200, 200, 429])
    expect((await worker.fetch('/api/user/sync')).headers.has('ratelimit')).toBe(false)
    expect(origin.requests.length - before).toBe(5)
  })
})

describe('scripts of another origin', () => {
  const page = 'https://page.example'
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: page, 'access-control-request-method': 'PUT' },
  }
  const one = [{ name: 'all', limit: 1, window: '1m' }]
  const granted = ({ headers }: Response) => [
    headers.get('access-control-allow-origin'),
    headers.get('access-control-allow-credentials'),
  ]

  /** The refusal that a Worker with these variables sends to a script of this origin. */
  async function refusalTo(asking: string | undefined, env: object) {
    const worker = await start({ POLICIES: one, ORIGIN_URL: origin.url, ...env })
    await worker.fetch('/')
    const response = await worker.fetch('/', { headers: asking ? { origin: asking } : {} })
    expect(response.status).toBe(429)
    return response
  }

  test('ask for leave uncounted, and the origin answers', async () => {
    const worker = await start({ POLICIES: one, ORIGIN_URL: origin.url })
    for (let asked = 0; asked < 3; asked++) {
      const { status, headers } = await worker.fetch('/', preflight)
      expect([status, headers.get('ratelimit')]).toEqual([200, null])
      expect(origin.requests.at(-1)?.method).toBe('OPTIONS')
    }
    expect((await worker.fetch('/')).headers.get('ratelimit')).toMatch(/^"all";r=0;/)
  })

  test('may not read a refusal unless CORS_ORIGINS says so', async () => {
    expect(granted(await refusalTo(page, {}))).toEqual([null, null])
    expect(granted(await refusalTo(page, { CORS_ORIGINS: '' }))).toEqual([null, null])
  })

  test('may read it with its times where CORS_ORIGINS is "*"', async () => {
    const refusal = await refusalTo(page, { CORS_ORIGINS: '*' })
    expect(granted(refusal)).toEqual(['*', null])
    expect(refusal.headers.get('access-control-expose-headers')).toContain('Retry-After')
    expect(granted(await refusalTo(undefined, { CORS_ORIGINS: '*' }))).toEqual([null, null])
  })

  test('may read it, with cookies too, where CORS_ORIGINS names theirs', async () => {
    for (const CORS_ORIGINS of [`https://a.example, ${page}`, `${page},\n`, [page]]) {
      expect(granted(await refusalTo(page, { CORS_ORIGINS }))).toEqual([page, 'true'])
      for (const other of ['https://evil.example', 'null', `${page}.evil.example`]) {
        expect(granted(await refusalTo(other, { CORS_ORIGINS }))).toEqual([null, null])
      }
    }
  })

  test('may read that the origin is away, and of its answers what the origin lets them', async () => {
    const away = `http://127.0.0.1:${await freePort()}`
    const cut = await start({ POLICIES, ORIGIN_URL: away, CORS_ORIGINS: page })
    expect(granted(await cut.fetch('/', { headers: { origin: page } }))).toEqual([page, 'true'])
    const worker = await start({ POLICIES, ORIGIN_URL: origin.url, CORS_ORIGINS: '*' })
    const answer = await worker.fetch('/', { headers: { origin: page } })
    expect(granted(answer)).toEqual([null, null])
  })

  test('are named in code by the option of the same sense, which goes first', async () => {
    const env = { POLICIES: one, ORIGIN_URL: origin.url, CORS_ORIGINS: '*' }
    const { fetch } = front({ cors: [page], store: memory() })
    const asked = () => new Request('https://gate.example/', { headers: { origin: page } })
    await fetch(asked(), env)
    expect(granted(await fetch(asked(), env))).toEqual([page, 'true'])
  })
})

describe('a variable that is empty is one that is not set', () => {
  test('ORIGIN_SECRET, ORIGIN_TIMEOUT, CORS_ORIGINS and TIDEGATE', async () => {
    const unset = ['ORIGIN_SECRET', 'ORIGIN_TIMEOUT', 'CORS_ORIGINS', 'TIDEGATE']
    const empty = Object.fromEntries(unset.map((name) => [name, '']))
    const worker = await start({ POLICIES, ORIGIN_URL: origin.url, ...empty })
    const response = await worker.fetch('/headers')
    expect(response.headers.get('ratelimit')).toContain('"all";r=99')
    expect(await response.json()).not.toHaveProperty('x-origin-secret')
  })

  test('ORIGIN_URL: requests go where they were going', () => {
    const settings = compileGate({ store: memory() }, { POLICIES, ORIGIN_URL: '' })
    expect(settings.origin.url).toBeUndefined()
  })
})

describe('settings that cannot work', () => {
  const good = { POLICIES, ORIGIN_URL: origin.url }
  const bad: readonly (readonly [string, object])[] = [
    ['no POLICIES', { POLICIES: undefined }],
    ['POLICIES that are no JSON', { POLICIES: '[{' }],
    ['a window that is none', { POLICIES: [{ limit: 1, window: '5 minits' }] }],
    ['an ORIGIN_URL without a scheme', { ORIGIN_URL: 'origin.example.com' }],
    ['an empty ORIGIN_URL', { ORIGIN_URL: '' }],
    ['empty POLICIES', { POLICIES: '' }],
    ['an ORIGIN_SECRET with a space', { ORIGIN_SECRET: 'two words' }],
    ['an ORIGIN_TIMEOUT that is none', { ORIGIN_TIMEOUT: 'soon' }],
    ['CORS_ORIGINS with a host that is a pattern', { CORS_ORIGINS: 'https://*.page.example' }],
    ['CORS_ORIGINS with a path', { CORS_ORIGINS: 'https://page.example/' }],
    ['CORS_ORIGINS without a scheme', { CORS_ORIGINS: ['https://a.example', 'page.example'] }],
    ['no origin in CORS_ORIGINS', { CORS_ORIGINS: [] }],
    ['CORS_ORIGINS with every origin beside one', { CORS_ORIGINS: 'https://a.example,*' }],
    ['an Upstash URL without its token', { UPSTASH_REDIS_REST_URL: 'https://db.upstash.io' }],
  ]
  for (const [name, env] of bad) {
    test(`${name}: nothing passes, and the answer does not tell why`, async () => {
      const settings = Object.entries({ ...good, ...env }).filter(
        ([, value]) => value !== undefined,
      )
      const worker = await start(Object.fromEntries(settings))
      const before = origin.requests.length
      const response = await worker.fetch('/')
      expect(response.status).toBe(500)
      expect(await response.json()).toMatchObject({ title: 'Internal Server Error', status: 500 })
      expect(origin.requests.length).toBe(before)
    })
  }
})
