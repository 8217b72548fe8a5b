import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/doctor/doctor.ts'
import { startGateway } from '../support/gateway-server.ts'
import { freePort } from '../support/listen.ts'
import { spawnRedis } from '../support/redis-server.ts'

const PASSWORD = 'a-password-of-the-tests'
const server = await spawnRedis()
const gateway = await startGateway(server.url)
const redis = new Redis(server.url)
await redis.call('ACL', 'SETUSER', 'ada', 'on', `>${PASSWORD}`, '~*', '+@read', '+@connection')
const nobody = `redis://127.0.0.1:${await freePort()}`
const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  redis.disconnect()
  await gateway.stop()
  await server.stop()
})

/** A file of variables, quoted as `vercel env pull` does. */
function fileOf(name: string, variables: Readonly<Record<string, string>>): string {
  const file = join(folder, name)
  const lines = Object.entries(variables).map(([key, value]) => `${key}="${value}"`)
  writeFileSync(file, `# comment\n${lines.join('\n')}\n`)
  return file
}

const PROGRAM = `import { doctor } from './src/cli/doctor.ts'
process.exitCode = await doctor.run(process.argv.slice(1))`
const ARGS = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, '--']

/**
 * Variables that name a store or decide on colours. The program runs without those of this host.
 */
const FOREIGN = /^(?:CI|REDIS_URL|FORCE_COLOR|NO_COLOR|\w*(?:UPSTASH|KV_REST)_\w*)$/
const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(command: string, args: readonly string[], env: object = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { ...own, ...env }, timeout: 30_000 }
    const program = execFile(command, args, options, (_, out, err) =>
      resolve({ code: program.exitCode ?? -1, out, err }),
    )
  })
}

const tidegate = (args: readonly string[], env: object = {}) =>
  run(process.execPath, [...ARGS, '--max-latency', '1s', ...args], env)

const upstashEnv = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: gateway.token }

describe('the command', () => {
  test('shows each finding in plain words, and leaves nothing behind', async () => {
    const { code, out, err } = await tidegate(['--redis', server.url])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^The store that --redis names:\n\n {2}ok {7}tls {13}The connection is not/)
    expect(out).toMatch(/\n {2}info {5}memory {10}.*\n(?: {27}.*\n)* {27}→ Set maxmemory/)
    expect(out).toMatch(/\n\nno failures, no warnings \(\d+ ms\)\n$/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
    expect(out).not.toMatch(/\u001b/)
    expect(await redis.dbsize()).toBe(0)
  })

  test('prints the report as JSON', async () => {
    const { code, out } = await tidegate(['--json', '--probes', '3'], upstashEnv)
    const report: Report = JSON.parse(out)
    expect(code).toBe(0)
    expect(report).toMatchObject({ ok: true, level: 'info', latency: { probes: 3 } })
    expect(report.findings.length).toBeGreaterThan(12)
  })

  test('takes the store from the flags, then from the variables in the order of storeFromEnv', async () => {
    const place = async (args: readonly string[], env: object = {}) =>
      /^The store that (\S+) names/.exec((await tidegate(['--probes', '1', ...args], env)).out)?.[1]
    const kv = { SHOP_KV_REST_API_URL: gateway.url, SHOP_KV_REST_API_TOKEN: gateway.token }
    const tcp = { REDIS_URL: server.url }
    const places = await Promise.all([
      place(['--url', gateway.url, '--token', gateway.token], tcp),
      place(['--redis', server.url], upstashEnv),
      place([], { ...kv, ...upstashEnv, ...tcp }),
      place([], { ...tcp, ...kv }),
      place([], tcp),
      place([], { UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '', ...kv, REDIS_URL: '' }),
    ])
    expect(places).toEqual([
      '--url',
      '--redis',
      'UPSTASH_REDIS_REST_URL',
      'SHOP_KV_REST_API_URL',
      'REDIS_URL',
      'SHOP_KV_REST_API_URL',
    ])
  })

  test('reads files of variables in place of the process’s, the later before the earlier', async () => {
    const tcp = fileOf('.dev.vars', { REDIS_URL: server.url })
    const rest = fileOf('.env.local', upstashEnv)
    const wrong = fileOf('.env', { REDIS_URL: nobody, UPSTASH_REDIS_REST_TOKEN: PASSWORD })
    const inFiles = async (files: readonly string[], env: object = {}) => {
      const flags = files.flatMap((file) => ['--env-file', file])
      return tidegate(['--probes', '1', ...flags], env)
    }
    const [one, two, none] = await Promise.all([
      inFiles([tcp], upstashEnv),
      inFiles([wrong, tcp, rest]),
      inFiles(
        [fileOf('empty.env', { UPSTASH_REDIS_REST_URL: '', KV_URL: server.url })],
        upstashEnv,
      ),
    ])
    expect(one).toMatchObject({ code: 0, err: '' })
    expect(one.out).toContain(`The store that REDIS_URL in ${tcp} names:`)
    expect(two).toMatchObject({ code: 0, err: '' })
    expect(two.out).toContain(`UPSTASH_REDIS_REST_URL in ${wrong}, ${tcp}, ${rest} names:`)
    expect(none).toMatchObject({ code: 1, out: '' })
    expect(none.err).toMatch(
      /the environment names no store.* KV_URL \(a URL for TCP.*, UPSTASH_REDIS_REST_URL \(empty\)/,
    )
    for (const { out, err } of [one, two, none]) {
      expect(out + err).not.toMatch(RegExp([server.url, gateway.url, gateway.token].join('|')))
    }
  })

  test('has colours on a terminal, unless NO_COLOR is set', async () => {
    const quoted = [process.execPath, ...ARGS, '--redis', nobody].map(
      (word) => `'${word.replaceAll("'", `'\\''`)}'`,
    )
    const onTerminal = (env: object) =>
      run('script', ['-qec', quoted.join(' '), '/dev/null'], { TERM: 'xterm', ...env })
    expect(await onTerminal({})).toMatchObject({
      code: 1,
      out: expect.stringContaining('\u001b[31mfailure'),
    })
    expect((await onTerminal({ NO_COLOR: '1' })).out).not.toContain('\u001b[')
  })
})

test('names what it found where nothing of it is a store', async () => {
  const { code, err } = await tidegate([], { UPSTASH_URL: 'https://hush.io', redis_url: nobody })
  expect(code).toBe(1)
  expect(err).toContain('UPSTASH_URL (rename it to UPSTASH_REDIS_REST_URL)')
  expect(err).toContain('redis_url (a URL for TCP')
  expect(err).not.toContain('hush')
})

describe('the exit code', () => {
  test('is 1 on a failure, with the remedy and without the password', async () => {
    const reader = server.url.replace('//', `//ada:${PASSWORD}@`)
    const { code, out } = await tidegate([], { REDIS_URL: reader })
    expect(code).toBe(1)
    expect(out).toContain('This is a read-only user.')
    expect(out).toContain('→ Allow it to write: ACL SETUSER … ~ratelimit:* +eval')
    expect(out).not.toContain(PASSWORD)

    const wrong = await tidegate(['--redis', reader.replace(PASSWORD, 'a-wrong-one')])
    expect(wrong).toMatchObject({
      code: 1,
      err: '',
      out: expect.stringContaining('rejects this user and password'),
    })
    expect(await tidegate(['--redis', nobody])).toMatchObject({
      code: 1,
      err: '',
      out: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('is 4 on a warning with --strict alone', async () => {
    const args = ['--redis', server.url, '--max-memory', '80%', '--max-errors', '1%']
    await redis.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru')
    const [lax, strict] = [await tidegate(args), await tidegate([...args, '--strict'])]
    await redis.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
    expect([lax.code, strict.code]).toEqual([0, 4])
    expect(strict.out).toContain('may evict counts (allkeys-lru)')
  })

  test('is 1 where the environment names no store, or half of one', async () => {
    expect(await tidegate([])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('the environment names no store'),
    })
    expect(await tidegate([], { UPSTASH_REDIS_REST_URL: gateway.url })).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/UPSTASH_REDIS_REST_TOKEN: expected .+, got nothing/),
    })
  })

  test('is an error of usage for a flag that cannot work', async () => {
    for (const [args, words] of [
      [['--redis', 'http://x'], /--redis: expected .+, got an HTTP URL/],
      [['--url', gateway.url], /--token: expected .+, got nothing/],
      [
        ['--url', gateway.url, '--redis', server.url],
        /--redis: expected only one store, got --url too/,
      ],
      [['--redis', server.url, '--max-memory', '0.8'], /--max-memory: expected .+, got "0\.8"/],
      [['--env-file', folder], /--env-file: expected .+, got "/],
      [['--env-file', folder], /which cannot be read \(EISDIR\)/],
      [
        ['--env-file', fileOf('a', {}), '--redis', nobody],
        /--env-file: expected .+, got --redis too/,
      ],
      [['--redis', server.url, '--verbose'], /Unknown option '--verbose'/],
    ] as const) {
      expect((await tidegate(args)).err).toMatch(words)
    }
  })
})
