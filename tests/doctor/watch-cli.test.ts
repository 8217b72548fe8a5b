import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import type { Alert } from '../../src/doctor/alert.ts'
import { freePort, listenLocally } from '../support/listen.ts'
import { startOrigin } from '../support/origin.ts'
import { spawnRedis } from '../support/redis-server.ts'

const SECRET = 'T0000-hush'
const PROGRAM = `import { doctor } from './src/cli/doctor.ts'
process.exitCode = await doctor.run(process.argv.slice(1))`
const ARGS = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, '--']

/** Generous where the tests' machine is busy; the interval alone is short. */
const PACE = ['--watch', '1s', '--max-latency', '10s', '--probes', '3', '--max-skew', '1h']
const SOON = { timeout: 30_000, interval: 20 }

const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** Starts a watch, and collects what it prints. */
function start(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, ...variables }
  const child = spawn(process.execPath, [...ARGS, ...PACE, ...args], { env })
  children.add(child)
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    out: () => out,
    err: () => err,
    /** Resolves to the exit code and how long the end took, in ms. */
    async end(signal: NodeJS.Signals) {
      const since = performance.now()
      child.kill(signal)
      const code = await ended
      children.delete(child)
      return { code, took: performance.now() - since }
    },
  }
}

/** A webhook on the loopback interface, and the alerts that it got. */
async function startWebhook(answer: (response: ServerResponse) => void) {
  const alerts: Alert[] = []
  const origin = await startOrigin(async (request: IncomingMessage, response) => {
    const body = await request.setEncoding('utf8').toArray()
    alerts.push(JSON.parse(body.join('')))
    answer(response)
  })
  return { ...origin, alerts, url: `${origin.url}/services/${SECRET}` }
}

test('a Redis that stops and starts again is two POSTs and two lines, and no more', async () => {
  const port = await freePort()
  let redis = await spawnRedis({ port })
  const webhook = await startWebhook((response) => response.end('ok'))
  const watched = start(['--webhook', webhook.url], { REDIS_URL: redis.url })
  try {
    await expect.poll(watched.err, SOON).toContain('watches the store that REDIS_URL names, every')
    await redis.stop('SIGKILL')
    await expect.poll(() => webhook.alerts.length, SOON).toBe(1)
    expect(webhook.alerts[0]).toMatchObject({
      text: expect.stringContaining('failure: reachability: The store cannot be reached'),
      content: expect.stringContaining('→ Check that the server runs'),
      store: 'REDIS_URL',
      changes: [{ check: 'reachability', from: 'ok', to: 'failure' }],
    })
    redis = await spawnRedis({ port })
    await expect.poll(() => webhook.alerts.length, SOON).toBe(2)
    expect(webhook.alerts[1]).toMatchObject({
      text: expect.stringMatching(/ok: reachability \(failure for \d+ s\): The store answers\.$/),
      changes: [{ check: 'reachability', from: 'failure', to: 'ok' }],
    })
    // Three more examinations.
    await new Promise((resolve) => setTimeout(resolve, 3500))
    const { code, took } = await watched.end('SIGTERM')
    expect(code).toBe(0)
    expect(took).toBeLessThan(3000)
    expect(webhook.alerts).toHaveLength(2)
    const lines = watched.out().trim().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^\d{4}-[\d-]+T[\d:.]+Z failure: reachability: The store cannot/),
      expect.stringMatching(/Z ok: reachability \(failure for \d+ s\): The store answers\.$/),
    ])
    expect(watched.out() + watched.err()).not.toContain(SECRET)
  } finally {
    await watched.end('SIGKILL')
    await redis.stop()
    await webhook.stop()
  }
})

test('keys that were evicted before the watch are no alert', async () => {
  const redis = await spawnRedis({
    args: ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru'],
  })
  const client = new Redis(redis.url)
  for (let key = 0; key < 30; key++) await client.set(`filler:${key}`, 'x'.repeat(100_000))
  expect(await client.info('stats')).toMatch(/evicted_keys:[1-9]/)
  const watched = start(['--redis', redis.url])
  try {
    // The findings of one examination are printed together.
    await expect.poll(watched.out, SOON).toContain('warning: eviction:')
    expect(watched.out()).not.toContain('evicted:')
  } finally {
    await watched.end('SIGKILL')
    client.disconnect()
    await redis.stop()
  }
})

test('a webhook that hangs delays nothing, and SIGINT ends the watch at once', async () => {
  const port = await freePort()
  let redis = await spawnRedis({ port })
  const webhook = await startWebhook(() => {})
  const variables = { REDIS_URL: redis.url, DOCTOR_WEBHOOK: webhook.url }
  const watched = start(['--json'], variables)
  const states = () =>
    watched
      .out()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .map(({ check, to }) => `${check} ${to}`)
  try {
    await expect.poll(watched.err, SOON).toContain('watches')
    await redis.stop('SIGKILL')
    await expect.poll(states, SOON).toEqual(['reachability failure'])
    redis = await spawnRedis({ port })
    await expect.poll(states, SOON).toEqual(['reachability failure', 'reachability ok'])
    const { code, took } = await watched.end('SIGINT')
    expect(code).toBe(0)
    // The webhook would be given up after ten seconds.
    expect(took).toBeLessThan(3000)
    expect(watched.out() + watched.err()).not.toContain(SECRET)
  } finally {
    await watched.end('SIGKILL')
    await redis.stop()
    await webhook.stop()
  }
})

test('SIGTERM ends the watch at once while the store hangs', async () => {
  const hanging = createServer()
  const port = await listenLocally(hanging)
  const connected = once(hanging, 'connection')
  const args = ['--redis', `redis://127.0.0.1:${port}`, '--timeout', '30s', '--deadline', '60s']
  const watched = start(args)
  try {
    await connected
    const { code, took } = await watched.end('SIGTERM')
    expect(code).toBe(0)
    expect(took).toBeLessThan(3000)
  } finally {
    await watched.end('SIGKILL')
    hanging.close()
  }
})

test('a webhook that refuses is reported without its URL, and lines are printed without one', async () => {
  const webhook = await startWebhook((response) => response.writeHead(404).end(SECRET))
  const nobody = `redis://127.0.0.1:${await freePort()}`
  const [refused, alone] = [
    start(['--webhook', webhook.url, '--redis', nobody]),
    start(['--redis', nobody]),
  ]
  try {
    await expect.poll(refused.err, SOON).toContain('which is lost: it answered 404')
    for (const watched of [refused, alone]) {
      await expect.poll(watched.out, SOON).toMatch(/Z failure: reachability: .*ECONNREFUSED/)
      expect(watched.out() + watched.err()).not.toContain(SECRET)
    }
  } finally {
    for (const watched of [refused, alone]) await watched.end('SIGKILL')
    await webhook.stop()
  }
})

test('flags that do not fit are an error of usage, which does not show the webhook', async () => {
  const { doctor } = await import('../../src/cli/doctor.ts')
  const nobody = ['--redis', 'redis://127.0.0.1:1']
  for (const [args, words] of [
    [['--webhook', `https://x.io/${SECRET}`], /^--webhook: expected --watch beside it$/],
    [
      ['--watch', '30s', '--webhook', `x.io/${SECRET}`],
      /^--webhook: expected the .*, got a string/,
    ],
    [['--watch', '30s', '--webhook', `ftp://x.io/${SECRET}`], /^--webhook: .*, got a URL$/],
    [['--watch', '30s', '--webhook', `https://u:${SECRET}@x.io/`], /^--webhook: .*, got a URL$/],
    [['--watch', '30'], /^--watch: expected a duration .*, got "30" \(did you mean "30s"\?\)$/],
    [['--watch', '10ms'], /^--watch: expected at least 1s, got "10ms"$/],
    [['--watch', '30s', '--strict'], /^--strict: expected no --watch beside it$/],
    [['--watch', '30s', '--probes', '0'], /^probes: expected/],
  ] as const) {
    await expect(doctor.run([...nobody, ...args])).rejects.toThrow(words)
  }
})
