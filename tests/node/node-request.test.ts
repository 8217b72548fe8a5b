import { createServer, request as send } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLimiter, memory } from '../../src/index.ts'
import { toWebRequest } from '../../src/node.ts'
import { listenLocally } from '../support/listen.ts'

const limiter = createLimiter({ limit: 2, window: '1m', match: '/api/*', store: memory() })

/** Says what `toWebRequest` made of a request, and limits it. */
const server = createServer(async (incoming, answer) => {
  const request = toWebRequest(incoming)
  const ip = request.headers.get('x-test-ip') ?? incoming.socket.remoteAddress
  const decision = await limiter.check(request, { ip })
  for (const [name, value] of Object.entries(limiter.headers(decision)))
    answer.setHeader(name, value)
  answer.writeHead(decision.allowed ? 200 : 429)
  const { method, url, headers } = request
  answer.end(JSON.stringify({ method, url, cookie: headers.get('cookie') }))
})
let port = 0
beforeAll(async () => {
  port = await listenLocally(server)
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends bytes as they are, since `fetch` would normalise the target, and returns the whole answer. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text))
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('a request of Node’s http server', () => {
  const targets: Readonly<Record<string, string>> = {
    '/api/a?b=1': 'http://localhost/api/a?b=1',
    '//evil.example/api/a': 'http://localhost//evil.example/api/a',
    'http://evil.example/api/a?b': 'http://localhost/api/a?b',
    'http://evil.example?b': 'http://localhost/?b',
  }
  for (const [target, url] of Object.entries(targets)) {
    test(`for ${target} is a Request for ${url}`, async () => {
      const answer = await raw(
        `GET ${target} HTTP/1.1\r\nHost: x@evil/\r\nConnection: close\r\n\r\n`,
      )
      expect(answer).toContain(`"url":"${url}"`)
    })
  }

  test('with a method that the Fetch API forbids is counted as a GET', async () => {
    const answer = await raw('TRACE /api/trace HTTP/1.1\r\nHost: a\r\nX-Test-IP: 192.0.2.9\r\n\r\n')
    expect(answer).toContain('"method":"GET"')
    expect(answer).toContain('ratelimit: "default";r=1;t=60')
  })

  test('for * is one for the root', async () => {
    expect(await raw('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain(
      '"url":"http://localhost/"',
    )
  })

  test('keeps each of several header fields', async () => {
    const answer = await new Promise<string>((resolve) => {
      const headers = { 'x-a': ['1', '2'], cookie: ['a=1', 'b=2'] }
      send({ port, host: '127.0.0.1', path: '/', headers }, (response) => {
        let text = ''
        response.on('data', (bytes) => {
          text += bytes
        })
        response.on('end', () => resolve(text))
      }).end()
    })
    expect(answer).toContain('"cookie":"a=1; b=2"')
  })

  test('is limited by the address that is passed', async () => {
    const get = (address: string) =>
      fetch(`http://127.0.0.1:${port}/api/x`, { headers: { 'x-test-ip': address } })
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) statuses.push((await get('203.0.113.7')).status)
    expect(statuses).toEqual([200, 200, 429])
    expect((await get('203.0.113.8')).status).toBe(200)
  })
})

describe('a policy sees the path that a framework for Node routes by', () => {
  const limiterOf = (match: string) =>
    createLimiter({ limit: 9, window: '1m', match, client: () => 'a', store: memory() })
  const hostile: readonly (readonly [target: string, match: string])[] = [
    ['foo://h/api/login', '/api/*'],
    ['ws://h/api/login?x', '/api/*'],
    ['http://h/api/../edit', '/api/*'],
    ['/api/../edit', '/api/*'],
    ['/api/%2e%2e/edit', '/api/*'],
    ['/api/.%2E/edit', '/api/*'],
    ['/api/./edit', '/api/:id/edit'],
    ['/api/..', '/api/*'],
    ['/api/x/../../zzz', '/api/*'],
    ['/api/..\\x/edit', '/api/*'],
    ['/api/users/42\\x', '/api/users/:id'],
    ['/x/../api/login', '/api/*'],
    ['\\api\\a', '/api/*'],
    ['api/a', '/api/*'],
  ]
  for (const [target, match] of hostile) {
    test(`${target} is counted by ${match}`, async () => {
      const request = toWebRequest({ url: target, headers: {} })
      expect((await limiterOf(match).check(request)).source).toBe('store')
    })
  }

  test('and a path without such parts is unchanged', () => {
    const { url } = toWebRequest({ url: '/a..b/.c/d.?x=../..', headers: {} })
    expect(url).toBe('http://localhost/a..b/.c/d.?x=../..')
  })

  test('a method of HTTP/2 in lower case counts as the method', () => {
    expect(toWebRequest({ method: 'patch', url: '/', headers: {} }).method).toBe('PATCH')
  })
})

test('a request of Express has the path of its mounted app, and one of HTTP/2 its pseudo-headers', () => {
  const request = toWebRequest({
    method: 'POST',
    url: '/login',
    originalUrl: '/api/login',
    headers: { ':path': '/api/login', 'x-api-key': 'k', 'set-cookie': ['a', 'b'], te: undefined },
  })
  expect(request.url).toBe('http://localhost/api/login')
  expect([...request.headers]).toEqual([
    ['set-cookie', 'a'],
    ['set-cookie', 'b'],
    ['x-api-key', 'k'],
  ])
})
