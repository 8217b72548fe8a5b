import { request } from 'node:http'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { readSettings } from '../../src/gateway/settings.ts'
import { startGateway } from '../../src/gateway/start.ts'

const token = crypto.randomUUID()
const flags = ['--redis', inject('redisUrl'), '--token', token, '--port', '0', '--allow', 'echo']
const gateway = await startGateway(readSettings(flags, {}), () => {})
await vi.waitUntil(async () => (await fetch(`${gateway.url}/healthz`)).ok)
const redis = new Redis(inject('redisUrl'))
const prefix = `path-${crypto.randomUUID()}`
afterAll(async () => {
  await redis.del('..', '.', 'a/../b', `${prefix}-1`)
  redis.disconnect()
  await gateway.stop()
})

/** Sends the target unchanged: `fetch` would remove parts of it. */
function ask(target: string, { method = 'GET', body = '' } = {}) {
  const { hostname, port } = new URL(gateway.url)
  const headers = { authorization: `Bearer ${token}` }
  return new Promise<readonly [number | undefined, unknown]>((resolve, reject) => {
    const asking = request({ hostname, port, method, path: target, headers }, async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve([response.statusCode, JSON.parse(text)])
    })
    asking.on('error', reject).end(body)
  })
}

const ok = (result: unknown) => [200, { result }]

test('a part of a path that is . or .. is an argument as any other', async () => {
  expect(await ask('/set/../up')).toEqual(ok('OK'))
  expect(await ask('/set/./here')).toEqual(ok('OK'))
  expect(await redis.mget('..', '.')).toEqual(['up', 'here'])
  expect(await ask('/get/..')).toEqual(ok('up'))
  expect(await ask('/get/%2E%2e')).toEqual(ok('up'))
  expect(await ask('/get/.')).toEqual(ok('here'))
  expect(await ask('/set/a%2F..%2Fb?EX=100', { method: 'POST', body: '../x' })).toEqual(ok('OK'))
  expect(await redis.get('a/../b')).toBe('../x')
})

test('no other route hides behind such parts', async () => {
  const { hostname, port } = new URL(gateway.url)
  for (const path of ['/x/../healthz', '/./healthz', '//healthz', '/get/../../healthz']) {
    const status = await new Promise((resolve) => {
      request({ hostname, port, path }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    expect(status).toBe(401)
  }
  const [status] = await ask('/x/../pipeline', { method: 'POST', body: '[["PING"]]' })
  expect(status).toBe(400)
})

test('parts may be empty, hold any characters, and stand behind a whole address', async () => {
  expect(await ask('/echo/')).toEqual(ok(''))
  expect(await ask('/echo/a\\b;c|"d"')).toEqual(ok('a\\b;c|"d"'))
  expect(await ask('/echo/%F0%9F%90%BE%20+%zz')).toEqual(ok('🐾 +%zz'))
  expect(await ask(`http://example.test/set/${prefix}-1/x?EX=100`)).toEqual(ok('OK'))
  expect(await redis.get(`${prefix}-1`)).toBe('x')
  const post = { method: 'POST', body: '["PING"]' }
  for (const target of ['/', '/?x', 'http://example.test', 'http://example.test/?x']) {
    expect(await ask(target, post)).toEqual(ok('PONG'))
  }
})
