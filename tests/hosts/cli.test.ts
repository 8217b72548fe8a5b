import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, copyFileSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Redis } from '@upstash/redis'
import { Redis as Direct } from 'ioredis'
import { afterAll, describe, expect, inject, test, vi } from 'vitest'
import { BUSY } from '../support/busy.ts'
import { freePort } from '../support/listen.ts'
import { installPackage } from '../support/package.ts'
import { pause } from '../support/pause.ts'

const { folder, remove } = installPackage()
const file = join(folder, 'node_modules/tidegate/dist/cli.js')
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const redisUrl = inject('redisUrl')
const token = crypto.randomUUID()

/** The PATH without node_modules: users of the package run the machine's own Node. */
const PATH = `${process.env.PATH}`
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .join(delimiter)
const env = { PATH, HOME: process.env.HOME }

const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  remove()
})

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Starts a program, and resolves when it has printed its address. */
async function start(command: string, args: readonly string[], variables = {}) {
  const child = spawn(command, args, { env: { ...env, ...variables }, detached: true })
  children.add(child)
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      children.delete(child)
      resolve(code)
    })
  })
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk
      const [, found] = /listening on (\S+)/.exec(said) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', () => reject(new Error(`it ended: ${said}`)))
  })
  await vi.waitUntil(async () => (await fetch(`${url}/healthz`)).ok, BUSY)
  /** Signals the group of processes, because npm starts the program. */
  const signal = (name: NodeJS.Signals) => process.kill(-(child.pid ?? 0), name)
  return { url, ended, signal, said: () => said }
}

describe('tidegate, as it is installed', () => {
  test('runs by itself on the Node of this machine, which may be 20', () => {
    accessSync(file, constants.X_OK)
    const node = execFileSync('node', ['--version'], { env, encoding: 'utf8' })
    console.log(`tidegate ran on Node ${node.trim()}`)
    expect(run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('says what there is', () => {
    for (const flag of ['--help', '-h', 'help']) {
      const { status, stdout } = run(flag)
      expect(status).toBe(0)
      expect(stdout).toMatch(/^Usage: tidegate <command>[\s\S]*^ {2}gateway +\S/m)
    }
    const { status, stdout } = run('gateway', '--help')
    expect(status).toBe(0)
    for (const word of ['--redis', 'REDIS_URL', '--port', 'PORT', '--token', 'GATEWAY_TOKEN']) {
      expect(stdout).toContain(word)
    }
    for (const word of ['--host', '--allow', '--tls-cert', '--tls-key', '--verbose', 'EVALSHA']) {
      expect(stdout).toContain(word)
    }
    const texts = [stdout, run('cost', '--help').stdout]
    for (const line of texts.join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('answers wrong usage with one sentence and 2', () => {
    const good = ['--token', token]
    for (const [args, sentence] of [
      [['frob'], /tidegate: unknown command "frob"/],
      [['--frob'], /tidegate: unknown option "--frob"/],
      [['gateway', '--frob'], /tidegate gateway: unknown option "--frob"/],
      [['gateway', ...good, 'more'], /tidegate gateway: unexpected argument without a flag/],
      [['gateway', '--port'], /tidegate gateway: Option '--port <value>' argument missing/],
      [['gateway'], /tidegate gateway: --token or GATEWAY_TOKEN: expected a secret.*, got nothing/],
      [['gateway', '--token', ''], /tidegate gateway: --token: expected .+, got nothing/],
      [
        ['gateway', '--token', 'short'],
        /tidegate gateway: --token: expected .+, got a length of 5/,
      ],
      [
        ['gateway', '--token', `${token},x`],
        /tidegate gateway: --token: expected .+, got a length of 1/,
      ],
      [
        ['gateway', '--token', 'with a space in the middle'],
        /tidegate gateway: --token: expected .+, got char/,
      ],
      [
        ['gateway', ...good, '--port', '99999'],
        /tidegate gateway: --port: expected .+, got "99999"/,
      ],
      [
        ['gateway', ...good, '--redis', 'http://:secret@x'],
        /tidegate gateway: --redis: expected .+, got an HTTP URL/,
      ],
      [
        ['gateway', ...good, '--port', '--host'],
        /tidegate gateway: Option '--port' argument is ambiguous \(see/,
      ],
      [
        ['gateway', ...good, '--host', '[::1]'],
        /tidegate gateway: --host: expected .+, got "\[::1\]"/,
      ],
      [
        ['gateway', ...good, '--allow', 'multi'],
        /tidegate gateway: --allow: expected .+, got "multi"/,
      ],
      [
        ['gateway', ...good, '--tls-cert', 'x'],
        /tidegate gateway: --tls-key: expected .+, got nothing/,
      ],
      [['cost'], /tidegate cost: --requests: expected a whole number .+, got nothing/],
      [
        ['cost', '--requests', '9', '--clients', '1', '--policy', '5 a minute'],
        /tidegate cost: --policy: expected a limit and a window, such as 100\/1m, got "5 a minute"/,
      ],
    ] as const) {
      const { status, stdout, stderr } = run(...args)
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^[^\n]+\n$/)
      expect(stderr).toMatch(sentence)
      expect(stderr).not.toMatch(/secret@|with a space/)
    }
    expect(run().status).toBe(2)
  })

  test('says in one sentence that a port is taken, and ends with 1', async () => {
    const taken = await start(file, [
      'gateway',
      '--redis',
      redisUrl,
      '--token',
      token,
      '--port',
      '0',
    ])
    const { port } = new URL(taken.url)
    const { status, stderr } = run('gateway', '--redis', redisUrl, '--token', token, '--port', port)
    const sentence = `tidegate gateway: cannot listen on "127.0.0.1", port ${port} (EADDRINUSE)\n`
    expect([status, stderr]).toEqual([1, sentence])
    taken.signal('SIGINT')
    expect(await taken.ended).toBe(0)
  })

  test('is one file, which needs no other', () => {
    const alone = join(folder, 'alone.mjs')
    copyFileSync(file, alone)
    const { stdout } = spawnSync('node', [alone, '--version'], { env, encoding: 'utf8' })
    expect(stdout).toBe(`${version}\n`)
  })

  test('holds the licence of each package that is in it', () => {
    const text = readFileSync(file, 'utf8')
    const notices = text.slice(text.lastIndexOf('This file holds code of these packages.'))
    const entry = /^(@?[\w./-]+) \d[\w.-]* \(([\w.-]+)\)\n\n(?=\S.{10})/gm
    const found = [...notices.matchAll(entry)].map(([, name]) => name)
    for (const name of ['ioredis', 'denque', 'debug', 'ms']) {
      expect(found).toContain(name)
    }
    console.log(`cli.js: ${text.length} characters, with the notices of ${found.join(', ')}`)
    expect(text.length).toBeLessThan(600_000)
  })
})

describe('tidegate cost', () => {
  const flags = ['--requests', '30M', '--clients', '200k', '--policy', '100/1m', '--isolates', '1']

  test('prints what the count costs, by itself and without a store', () => {
    const { status, stdout, stderr } = run('cost', ...flags)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^30,000,000 requests a month from 200,000 clients, 100 per 1m\n/)
    expect(stdout).toMatch(/^Upstash, pay as you go +\$\d+\.\d\d +\$\d+\.\d\d +\$\d+\.\d\d$/m)
  })

  test('prints the same as JSON, with the source of each price', () => {
    const { status, stdout } = run('cost', ...flags, '--json')
    const { traffic, usages, offers } = JSON.parse(stdout)
    expect(status).toBe(0)
    expect(traffic).toMatchObject({ requests: 30_000_000, clients: 200_000, limit: 100 })
    expect(usages.tidegate.commands).toBeLessThan(usages.upstash.commands)
    for (const { prices, source, read } of offers) {
      expect(Object.keys(prices)).toEqual(['tidegate', 'upstash', 'getSet'])
      expect([source, read]).toEqual([
        expect.stringMatching(/^https:/),
        expect.stringMatching(/^20\d\d-\d\d$/),
      ])
    }
  })
})

describe('tidegate gateway', () => {
  test('serves what it was told by variables, both tokens, and logs no secret', async () => {
    const port = `${await freePort()}`
    const old = crypto.randomUUID()
    const variables = { REDIS_URL: redisUrl, PORT: port, GATEWAY_TOKEN: `${token},${old}` }
    const gateway = await start(file, ['gateway', '--verbose'], variables)
    expect(gateway.url).toBe(`http://127.0.0.1:${port}`)
    const key = `cli-${crypto.randomUUID()}`
    for (const each of [token, old]) {
      const redis = new Redis({ url: gateway.url, token: each })
      expect(await redis.set(key, 'wert-🐾')).toBe('OK')
      expect(await redis.get(key)).toBe('wert-🐾')
      expect(await redis.del(key)).toBe(1)
      await expect(redis.keys('*')).rejects.toThrow("Command is not available: 'KEYS'")
    }
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect(gateway.said()).toMatch(
      /POST \/pipeline 200 [\d.]+ ms[\s\S]*\ntidegate gateway: stopped\n$/,
    )
    for (const secret of [token, old, key, 'wert']) expect(gateway.said()).not.toContain(secret)
  })

  test('ends the requests in flight before it stops, and takes no more', async () => {
    const gateway = await start(file, ['gateway', '--redis', redisUrl, '--port', '0'], {
      GATEWAY_TOKEN: token,
    })
    const direct = new Direct(redisUrl)
    try {
      await direct.call('CLIENT', 'PAUSE', '1000', 'ALL')
      const headers = { authorization: `Bearer ${token}` }
      const pending = fetch(`${gateway.url}/echo/x`, { headers }).then(({ status }) => status)
      const slow = fetch(`${gateway.url}/exists/x`, { headers })
      await pause(200)
      gateway.signal('SIGTERM')
      const isAnswered = () => fetch(`${gateway.url}/healthz`).then(Boolean, () => false)
      await expect.poll(isAnswered).toBe(false)
      expect(await pending).toBe(400)
      const answer = await slow
      expect([answer.status, await answer.json()]).toEqual([200, { result: 0 }])
      expect(answer.headers.get('connection')).toBe('close')
      expect(await gateway.ended).toBe(0)
    } finally {
      direct.disconnect()
    }
  })

  test('starts by npm run gateway, too', async () => {
    const args = ['run', '--silent', 'gateway', '--', '--redis', redisUrl, '--port', '0']
    const gateway = await start('npm', args, { GATEWAY_TOKEN: token })
    const redis = new Redis({ url: gateway.url, token })
    expect(await redis.ping()).toBe('PONG')
    gateway.signal('SIGTERM')
    await gateway.ended
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow()
  })
})
