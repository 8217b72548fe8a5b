import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis as Upstash } from '@upstash/redis'
import { expect, inject, test, vi } from 'vitest'
import { outageLog } from '../../src/gateway/outage-log.ts'
import { readSettings } from '../../src/gateway/settings.ts'
import { startGateway as startProgram } from '../../src/gateway/start.ts'
import { createLimiter } from '../../src/index.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { BUSY } from '../support/busy.ts'
import { type GatewayServer, startGateway } from '../support/gateway-server.ts'
import { freePort } from '../support/listen.ts'
import { pause } from '../support/pause.ts'
import { spawnRedis } from '../support/redis-server.ts'

const AWAY = { error: expect.stringMatching(/^Redis (is unavailable|closed the connection)/) }

async function ask({ url, token }: GatewayServer, path: string, body: unknown) {
  const start = performance.now()
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    status: response.status,
    body: await response.json(),
    retryAfter: response.headers.get('retry-after'),
    ms: performance.now() - start,
  }
}

/** Waits until the gateway has noticed: its Redis is another process. */
const until = (condition: () => boolean | Promise<boolean>) => vi.waitUntil(condition, BUSY)

const health = async ({ url }: GatewayServer) => {
  const response = await fetch(`${url}/healthz`)
  return `${response.status} ${await response.text()}`
}

test('while Redis is stopped every request gets 503 at once, and works when it is back', async () => {
  const port = await freePort()
  let server = await spawnRedis({ port })
  const gateway = await startGateway(server.url)
  try {
    expect(await ask(gateway, '/', ['SET', 'a', '1'])).toMatchObject({ status: 200 })
    expect(await health(gateway)).toBe('200 ok')
    await server.stop()
    await until(async () => (await health(gateway)) === '503 unavailable')

    const limiter = createLimiter({ limit: 5, window: '1m', store: upstash(gateway) })
    for (const [path, body] of [
      ['/', ['GET', 'a']],
      ['/get/a', ''],
      ['/pipeline', [['GET', 'a']]],
      ['/multi-exec', [['GET', 'a']]],
    ] as const) {
      const answer = await ask(gateway, path, body)
      expect(answer).toMatchObject({ status: 503, body: AWAY, retryAfter: '1' })
    }
    const many = await Promise.all(
      Array.from({ length: 200 }, () => ask(gateway, '/', ['GET', 'a'])),
    )
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([503]))
    expect(Math.max(...many.map(({ ms }) => ms))).toBeLessThan(1000)
    const decision = await limiter.check(new Request('http://test.invalid/'))
    expect(decision).toMatchObject({ allowed: true, degraded: true })

    server = await spawnRedis({ port })
    await until(async () => (await health(gateway)) === '200 ok')
    expect(await ask(gateway, '/', ['SET', 'a', '2'])).toMatchObject({ status: 200 })
    const { url, token } = gateway
    expect(await new Upstash({ url, token }).get('a')).toBe(2)
    expect(gateway.log).toEqual([
      expect.stringMatching(/^Redis is unavailable \(.+\): all requests get 503 until it is back$/),
      expect.stringMatching(/^Redis is back after [\d.]+ s$/),
    ])
  } finally {
    await gateway.stop()
    await server.stop()
  }
})

test('a Redis that hangs holds requests for a bounded time, and the next ones not at all', async () => {
  const server = await spawnRedis()
  const gateway = await startGateway(server.url, { socketTimeout: 300 })
  try {
    await gateway.redis.call('CLIENT', 'PAUSE', '2500', 'ALL')
    const held = await Promise.all([
      ask(gateway, '/', ['SET', 'a', '1']),
      ask(gateway, '/pipeline', [
        ['GET', 'a'],
        ['GET', 'b'],
      ]),
      ask(gateway, '/multi-exec', [['GET', 'a']]),
    ])
    for (const answer of held) {
      expect(answer).toMatchObject({ status: 503, body: AWAY })
      expect(answer.ms).toBeLessThan(2000)
    }
    const next = await ask(gateway, '/', ['GET', 'a'])
    expect(next).toMatchObject({ status: 503, body: AWAY })
    expect(next.ms).toBeLessThan(250)
    await until(async () => (await health(gateway)) === '200 ok')
    expect(await ask(gateway, '/', ['PING'])).toMatchObject({ status: 200 })
  } finally {
    await gateway.stop()
    await server.stop()
  }
})

test('a Redis that comes and goes is logged as one outage a minute', async () => {
  const server = await spawnRedis()
  const gateway = await startGateway(server.url)
  try {
    for (let outage = 0; outage < 5; outage++) {
      await gateway.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await until(async () => (await health(gateway)) === '503 unavailable')
      await until(async () => (await health(gateway)) === '200 ok')
    }
    expect(gateway.log).toEqual([
      expect.stringContaining('is unavailable'),
      expect.stringContaining('is back'),
    ])
  } finally {
    await gateway.stop()
    await server.stop()
  }
})

test('an outage that lasts is logged when the minute after the last line is over', async () => {
  const port = await freePort()
  let server = await spawnRedis({ port })
  const clock = manualClock()
  const gateway = await startGateway(server.url, { clock })
  const lines = (count: number) => until(() => gateway.log.length === count)
  try {
    for (let outage = 0; outage < 3; outage++) {
      await gateway.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await until(async () => (await health(gateway)) === '503 unavailable')
      await until(async () => (await health(gateway)) === '200 ok')
    }
    clock.advance(4000)
    await server.stop()
    await until(async () => (await health(gateway)) === '503 unavailable')
    expect(gateway.log).toEqual([
      expect.stringMatching(/^Redis is unavailable \(.+\): all requests get 503 until it is back$/),
      'Redis is back after 0.0 s',
    ])

    clock.advance(56_000)
    await lines(3)
    expect(gateway.log.at(-1)).toBe(
      `Redis is unavailable (connect ECONNREFUSED 127.0.0.1:${port}, for 56.0 s so far): all requests get 503 ` +
        'until it is back (and 2 more times since the last line)',
    )
    clock.advance(600_000)
    server = await spawnRedis({ port })
    await lines(4)
    expect(gateway.log.slice(3)).toEqual(['Redis is back after 656.0 s'])
  } finally {
    await gateway.stop()
    await server.stop()
  }
})

test('while an outage lasts it has one line, and not before a minute after the last line', () => {
  const clock = manualClock()
  const lines: string[] = []
  const outages = outageLog((line) => lines.push(line), clock)
  const attempt = (ms: number) => {
    clock.advance(ms)
    outages.unavailable('refused')
  }
  outages.available()
  attempt(0)
  outages.available()
  for (const ms of [0, 59_000, 999]) attempt(ms)
  expect(lines).toHaveLength(2)
  for (const ms of [1, 1000, 120_000]) attempt(ms)
  outages.available()
  expect(lines.slice(2)).toEqual([
    'Redis is unavailable (refused, for 60.0 s so far): all requests get 503 until it is back',
    'Redis is back after 181.0 s',
  ])
  attempt(-3_600_000)
  expect(lines[4], 'a clock that was set back does not silence it').toBe(
    'Redis is unavailable (refused): all requests get 503 until it is back',
  )
})

test('a Redis that is killed in the middle of traffic costs 503 and no wrong answer', async () => {
  const port = await freePort()
  let server = await spawnRedis({ port })
  const gateway = await startGateway(server.url)
  const statuses = new Set<number>()
  let running = true
  const traffic = async (_: unknown, who: number) => {
    for (let turn = 0; running; turn++) {
      const value = `${who}/${turn}`
      const { status, body } = await ask(gateway, '/multi-exec', [
        ['SET', `k${who}`, value],
        ['GET', `k${who}`],
      ])
      statuses.add(status)
      if (status === 200) expect(body).toEqual([{ result: 'OK' }, { result: value }])
      else await pause(5)
    }
  }
  try {
    const clients = Promise.all(Array.from({ length: 10 }, traffic))
    await until(() => statuses.has(200))
    await server.stop('SIGKILL')
    await until(() => statuses.has(503))
    server = await spawnRedis({ port })
    await until(async () => (await health(gateway)) === '200 ok')
    running = false
    await clients
    expect(statuses).toEqual(new Set([200, 503]))
  } finally {
    running = false
    await gateway.stop()
    await server.stop()
  }
})

test('the gateway starts before its Redis does, and says why it cannot ask it', async () => {
  const port = await freePort()
  const lines: string[] = []
  const token = crypto.randomUUID()
  const flags = [
    '--redis',
    `redis://user:pass-word@127.0.0.1:${port}`,
    '--token',
    token,
    '--port',
    '0',
  ]
  const gateway = await startProgram(readSettings(flags, {}), (line) => lines.push(line))
  try {
    await until(() => lines.some((line) => line.includes('unavailable')))
    expect(lines).toEqual([
      `listening on ${gateway.url} for the Redis at 127.0.0.1:${port}`,
      expect.stringContaining(`Redis is unavailable (connect ECONNREFUSED 127.0.0.1:${port})`),
    ])
  } finally {
    await gateway.stop()
  }
  expect(lines.join()).not.toMatch(/pass-word|user/)
})

test('with a certificate it speaks HTTPS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-tls-'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  )
  const token = crypto.randomUUID()
  const flags = ['--redis', inject('redisUrl'), '--token', token, '--port', '0']
  const tls = ['--tls-cert', cert, '--tls-key', key]
  const gateway = await startProgram(readSettings([...flags, ...tls], {}), () => {})
  try {
    const { port, protocol } = new URL(gateway.url)
    expect(protocol).toBe('https:')
    const ping = () =>
      new Promise<string>((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` }
        const ca = readFileSync(cert)
        const asking = request(
          { host: '127.0.0.1', port, path: '/ping', headers, ca },
          (response) => {
            response.setEncoding('utf8').on('data', resolve)
          },
        )
        asking.on('error', reject).end()
      })
    await until(async () => (await ping()) === '{"result":"PONG"}')
    await expect(fetch(gateway.url.replace('https', 'http'))).rejects.toThrow()
  } finally {
    await gateway.stop()
    rmSync(folder, { recursive: true })
  }
  expect(() => readSettings([...flags, '--tls-key', key], {})).toThrow(
    /^--tls-cert: expected .+, got nothing/,
  )
  expect(() =>
    readSettings([...flags, '--tls-cert', 'package.json', '--tls-key', key], {}),
  ).toThrow('--tls-cert')
})
