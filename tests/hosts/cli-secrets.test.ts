import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { listenLocally } from '../support/listen.ts'

const PASSWORD = 's3cret'
/** URLs with a password, as users paste them by mistake. */
const ADDRESSES = [
  `redis://default:${PASSWORD}@127.0.0.1:1`,
  `https://default:${PASSWORD}@127.0.0.1:1`,
  `redis://default:${PASSWORD},more@127.0.0.1:1`,
  `default:${PASSWORD}@127.0.0.1:1`,
]
/** As URLs these name the host "s3cret". */
const MISREAD = [`redis://${PASSWORD}#:x@127.0.0.1:1`, `redis://${PASSWORD}?:x@127.0.0.1:1`]

/** A port in use: a gateway whose flags are valid ends too, because it cannot listen. */
const other = createServer()
const taken = `${await listenLocally(other)}`
const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
afterAll(() => {
  other.close()
  rmSync(folder, { recursive: true })
})

interface Ran {
  readonly code: number | string | null | undefined
  readonly said: string
}

/** Without `--`, Node itself reads every --env-file first, and quotes the name of a missing one. */
function tidegate(args: readonly string[], env: Readonly<Record<string, string>>) {
  return new Promise<Ran>((resolve) => {
    const all = ['--', 'dist/cli.js', ...args]
    execFile(process.execPath, all, { env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: stdout + stderr }),
    )
  })
}

/** Expects that the program ended by itself, with its own message, which has no password. */
async function expectSilence(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, said } = await tidegate(args, env)
  expect(said, args.join(' ')).toMatch(/^(tidegate|The store that|The drill of)/)
  expect(said, args.join(' ')).not.toContain(PASSWORD)
  expect(said, args.join(' ')).not.toMatch(/^ {4}at /m)
  expect([1, 2], args.join(' ')).toContain(code)
}

const TOKEN = `--token=${crypto.randomUUID()}`
const NOBODY = 'redis://127.0.0.1:1'
const PROBES = ['--probes=1', '--timeout=200ms']

/** Arguments that are valid, of each command. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  gateway: [TOKEN, `--port=${taken}`],
  doctor: PROBES,
  drill: ['http://127.0.0.1:1/', '--limit=1', '--window=1s', '--timeout=200ms'],
}

/** Flags that are valid together, and then the flag that gets the value. */
const FLAGS: Readonly<Record<string, readonly (readonly [string, ...string[]])[]>> = {
  gateway: [
    ['--redis'],
    ['--port'],
    ['--host'],
    ['--token'],
    ['--allow'],
    ['--allow', '--allow=scan'],
    ['--tls-cert', '--tls-key=package.json'],
    // A file whose text contains the beginning of a PEM header.
    ['--tls-key', '--tls-cert=src/gateway/settings.ts'],
    ['--verbose'],
  ],
  doctor: [
    ['--url', '--token=token'],
    ['--url'],
    ['--token', '--url=http://127.0.0.1:1'],
    ['--token'],
    ['--env-file'],
    ['--redis'],
    ...['--prefix', '--probes', '--max-latency', '--max-memory', '--max-errors', '--max-skew'].map(
      (flag) => [flag] as const,
    ),
    ['--timeout'],
    ['--deadline'],
    ['--json'],
    ['--strict'],
    ['--watch'],
    ['--webhook', '--watch=30s'],
  ],
  drill: [
    ...['--limit', '--window', '--method', '--header', '--max-requests', '--max-wait'].map(
      (flag) => [flag] as const,
    ),
    ...['--pace', '--timeout', '--yes', '--json', '--strict'].map((flag) => [flag] as const),
    ['--header', '--header=a: b'],
    ['--expect'],
    ['--max-rate'],
    ['--cost'],
  ],
}

/** Runs two at a time. */
async function forEach<Item>(items: readonly Item[], run: (item: Item) => Promise<void>) {
  const left = [...items]
  const runLeft = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item)
  }
  await Promise.all([runLeft(), runLeft()])
}

describe('neither output of the program shows the password of', () => {
  test('what stands for a command', async () => {
    const args = ADDRESSES.flatMap((value) => [value, `--${value}`, `-${value}`])
    await forEach(args, (arg) => expectSilence([arg]))
  })

  for (const [command, flags] of Object.entries(FLAGS)) {
    const good = GOOD[command] ?? []
    const env: Record<string, string> = command === 'doctor' ? { REDIS_URL: NOBODY } : {}

    test(`what ${command} gets without a flag, or as one`, async () => {
      const quotes = [`it's ${PASSWORD}' is`, `'${PASSWORD}`, `${PASSWORD}. '`, `\n${PASSWORD}`]
      const wrong = ADDRESSES.flatMap((value) => [
        ...[[value], [`--${value}`], [`-${value}`], ['--', value], ['-p', value]],
      ])
      await forEach([...wrong, ...quotes.map((value) => [value])], (args) =>
        expectSilence([command, ...good, ...args], env),
      )
    })

    for (const [flag, ...others] of flags) {
      test(`${command} ${flag}${others.length > 0 ? `, beside ${others.join(' ')}` : ''}`, async () => {
        const given = [...good.filter((other) => !other.startsWith(`${flag}=`)), ...others]
        const values = flag === '--redis' ? [...ADDRESSES, ...MISREAD] : ADDRESSES
        const last = values.map((value) => [`${flag}=${value}`])
        await forEach([...last, [flag, ADDRESSES[0] ?? '']], (args) =>
          expectSilence([command, ...given, ...args], env),
        )
      })
    }
  }

  test('the URL of the drill', async () => {
    const flags = ['--limit=1', '--window=1s', '--timeout=200ms']
    const urls = [...ADDRESSES, ...MISREAD, `http://127.0.0.1:1/?key=${PASSWORD}`]
    await forEach(urls, (url) => expectSilence(['drill', url, ...flags]))
  })

  test('a variable of the gateway', async () => {
    const env = { GATEWAY_TOKEN: crypto.randomUUID(), PORT: taken, REDIS_URL: NOBODY }
    const wrong = Object.keys(env).flatMap((name) =>
      [...ADDRESSES, ...MISREAD].map((value) => ({ ...env, [name]: value })),
    )
    await forEach(wrong, (variables) => expectSilence(['gateway'], variables))
  })

  test('a variable of the doctor, by name or by value, or one in a file', async () => {
    const names = ['REDIS_URL', 'KV_URL', 'KV_REST_API_URL', 'UPSTASH_REDIS_REST_TOKEN']
    const wrong = ADDRESSES.flatMap((value) => [
      ...names.map((name) => [name, value] as const),
      // The value alone: it is then the name of a variable.
      ...[value, `${value}/?a`, `${value}/?a_KV_REST_API_URL`].map((name) => [name, '1'] as const),
    ])
    wrong.push(...MISREAD.map((value) => ['REDIS_URL', value] as const))
    await forEach(wrong, async ([name, value]) => {
      await expectSilence(['doctor', ...PROBES], { [name]: value })
      const file = join(folder, `${crypto.randomUUID()}.env`)
      writeFileSync(file, `${name}="${value}"\n`)
      await expectSilence(['doctor', ...PROBES, '--env-file', file])
    })
  })
})
