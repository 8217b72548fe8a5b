import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, inject, test } from 'vitest'
import { freePort } from '../support/listen.ts'
import { startOrigin } from '../support/origin.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const running: ChildProcess[] = []
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
})

/** Runs what `npm start` runs, until it says that it is running or ends. */
async function start(variables: Readonly<Record<string, string>>) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, STATE_DIR: folder, ...variables }
  const child = spawn(process.execPath, ['scripts/start.ts'], { env })
  running.push(child)
  let output = ''
  const printed = new Promise<void>((resolve) => {
    const hear = (chunk: Buffer) => {
      output += chunk
      if (output.includes('curl -i')) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
  })
  await Promise.race([printed, once(child, 'exit')])
  return { child, output: () => output }
}

/** Sends 15 requests to a limit of 10 in a row. */
async function fifteenSyncs(port: number) {
  const responses: Response[] = []
  for (let request = 0; request < 15; request++) {
    responses.push(await fetch(`http://localhost:${port}/api/user/sync`, { method: 'POST' }))
  }
  return responses
}

describe('npm start', () => {
  test('serves the Worker before its demo origin: ten answers, then five 429s', async () => {
    const port = await freePort()
    const { output } = await start({ PORT: `${port}` })
    const responses = await fifteenSyncs(port)
    expect(responses.map(({ status }) => status)).toEqual([
      ...Array(10).fill(200),
      ...Array(5).fill(429),
    ])
    expect(await responses[0]?.text()).toBe('The origin answers POST /api/user/sync\n')
    const refused = responses[14]
    const seconds = Number(refused?.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(50)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(refused?.headers.get('ratelimit-policy')).toBe('"sync";q=10;w=60, "all";q=300;w=60')
    expect(refused?.headers.get('ratelimit')).toBe(
      `"sync";r=0;t=${seconds}, "all";r=290;t=${seconds}`,
    )
    expect(refused?.headers.get('content-type')).toBe('application/problem+json')
    expect(await refused?.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      'violated-policies': ['sync'],
    })

    const other = await fetch(`http://localhost:${port}/other`)
    expect(other.status).toBe(200)
    expect(other.headers.get('ratelimit')).toMatch(/^"all";r=289;t=\d+$/)

    expect(output()).toContain(`http://localhost:${port}`)
    expect(output()).toContain(`store     Durable Object, kept in ${join(folder, `${port}`)}`)
    expect(output()).toContain(`curl -i -X POST http://localhost:${port}/api/user/sync`)
  })

  test('counts a client as Cloudflare does, whatever address it sends', async () => {
    const port = await freePort()
    await start({ PORT: `${port}`, POLICIES: '[{"name":"one","limit":1,"window":"1m"}]' })
    const statusOf = async (address: string) => {
      const headers = { 'cf-connecting-ip': address }
      return (await fetch(`http://localhost:${port}/`, { headers })).status
    }
    expect(await statusOf('203.0.113.1')).toBe(200)
    expect(await statusOf('203.0.113.2')).toBe(429)
  })

  test('goes on with the counts of before when it is started again', async () => {
    const PORT = `${await freePort()}`
    const first = await start({ PORT })
    expect((await fifteenSyncs(Number(PORT)))[9]?.status).toBe(200)
    first.child.kill('SIGTERM')
    await once(first.child, 'exit')
    await start({ PORT })
    for (const { status } of await fifteenSyncs(Number(PORT))) expect(status).toBe(429)
  })

  test('takes ORIGIN_URL and the store from the environment', async () => {
    const origin = await startOrigin()
    const port = await freePort()
    const { url, token } = inject('gateway')
    try {
      const { output } = await start({
        PORT: `${port}`,
        ORIGIN_URL: origin.url,
        UPSTASH_REDIS_REST_URL: url,
        UPSTASH_REDIS_REST_TOKEN: token,
        POLICIES: JSON.stringify([
          { name: `start-${crypto.randomUUID()}`, limit: 1, window: '1s' },
        ]),
      })
      expect(output()).toContain('store     Upstash REST, named by UPSTASH_REDIS_REST_URL')
      expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe('origin\n')
      expect((await fetch(`http://localhost:${port}/`)).status).toBe(429)
      expect(origin.requests).toHaveLength(1)
    } finally {
      await origin.stop()
    }
  })

  test('counts in the Durable Object beside an address for TCP, as the Worker does', async () => {
    const PORT = `${await freePort()}`
    const { output } = await start({ PORT, UPSTASH_REDIS_URL: 'rediss://db.upstash.io:6379' })
    expect(output()).toContain('store     Durable Object')
    expect((await fetch(`http://localhost:${PORT}/a`)).headers.get('ratelimit')).toContain('r=')
  })

  test('takes a variable that is empty for one that is not set', async () => {
    const port = await freePort()
    const unset = ['ORIGIN_URL', 'ORIGIN_SECRET', 'POLICIES', 'UPSTASH_REDIS_REST_URL']
    const empty = Object.fromEntries(unset.map((name) => [name, '']))
    const { output } = await start({ PORT: `${port}`, ...empty })
    expect(output()).toContain('store     Durable Object')
    const answer = await (await fetch(`http://localhost:${port}/a`)).text()
    expect(answer).toBe('The origin answers GET /a\n')
  })

  const wrong = [
    [{ PORT: 'http' }, /PORT: expected a port.*, got "http"/],
    [{ ORIGIN_URL: 'https://user:secret@x.io' }, /ORIGIN_URL: expected .+, got a URL with a query/],
    [
      { PORT: '8787', UPSTASH_REDIS_REST_URL: 'https://x.io' },
      /UPSTASH_REDIS_REST_TOKEN: expected .+, got nothing/,
    ],
  ] as const
  for (const [variables, message] of wrong) {
    test(`ends with one sentence: ${message}`, async () => {
      const { child, output } = await start(variables)
      expect(output()).toMatch(message)
      expect(child.exitCode).toBe(1)
      expect(output()).not.toContain('    at ')
      expect(output()).not.toContain('secret')
    })
  }

  test('ends with one sentence when the port is taken', async () => {
    const origin = await startOrigin()
    try {
      const { child, output } = await start({ PORT: new URL(origin.url).port })
      expect(output()).toContain('EADDRINUSE')
      expect(child.exitCode).toBe(1)
    } finally {
      await origin.stop()
    }
  })
})
