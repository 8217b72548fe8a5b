import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { drill } from '../../src/cli/drill.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import type { Report } from '../../src/drill/report.ts'
import { freePort } from '../support/listen.ts'
import { type Plan, startDeployment } from './support/deployment.ts'

const PROGRAM = `import { drill } from './src/cli/drill.ts'
process.exitCode = await drill.run(process.argv.slice(1)).catch((error) => {
  console.error(error.message)
  return 2
})`
const ARGS = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, '--']

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function tidegate(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH }, timeout: 30_000 }
    const program = execFile(process.execPath, [...ARGS, ...args], options, (_, out, err) =>
      resolve({ code: program.exitCode ?? -1, out, err }),
    )
  })
}

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

/** A deployment with a window of two seconds, by the real clock. */
async function deployment(plan: Plan = {}) {
  const clock = Object.assign(Date.now, { advance() {}, timer: () => () => {} })
  const fields: Plan['fields'] = ({ remaining, seconds }) => ({
    'RateLimit-Policy': '"sync";q=3;w=2',
    RateLimit: `"sync";r=${remaining};t=${seconds}`,
  })
  const started = await startDeployment({ limit: 3, window: 2000, fields, ...plan }, clock)
  stops.push(started.stop)
  return started
}

const LIMIT = ['--limit', '3', '--window', '2s', '--pace', '10ms']

describe('the command', () => {
  test('shows each finding in plain words, and ends with 0', async () => {
    const { url } = await deployment()
    const { code, out, err } = await tidegate([url, ...LIMIT])
    expect(out).toMatch(
      /^The drill of POST http:\/\/127\.0\.0\.1:\d+\/api\/user\/sync:\n\n {2}ok {7}reach/,
    )
    expect(out).toMatch(/\n {2}ok {7}limit {11}3 of 8 requests passed \(3 × 200, 5 × 429\)\.\n/)
    expect(out).toMatch(/\n {2}ok {7}retry-after {5}Retry-After was [12], and a request passed/)
    expect(out).toMatch(/\n\nno failures, no warnings \(\d+ ms\)\n$/)
    expect(code).toBe(0)
    const [plan, ...waits] = err.split('\n')
    expect(plan).toMatch(
      /^tidegate drill: sends about 50 requests \(POST http.*\), one every 10 ms, never more than 250, and waits at most 120 s/,
    )
    expect(waits[0]).toMatch(/^tidegate drill: waits [12] s, as Retry-After says$/)
  })

  test('prints the report as JSON, and ends with 1 on a failure', async () => {
    const { url } = await deployment({ isLimited: () => false })
    const { code, out } = await tidegate([url, ...LIMIT, '--json', '--method', 'GET'])
    const report: Report = JSON.parse(out)
    expect(code).toBe(1)
    expect(report).toMatchObject({
      ok: false,
      level: 'failure',
      target: `GET ${url}`,
      burst: { sent: 8, passed: 8 },
      variants: [],
      requests: 8,
    })
    expect(report.findings.map(({ check }) => check)).toEqual([
      'reachability',
      'limit',
      'ratelimit',
      'x-ratelimit',
      'agreement',
      'problem',
      'forged-address',
      'spelling',
      'method',
      'ipv6-neighbour',
      'retry-after',
      'next-window',
    ])
  })

  test('ends with 4 on a warning with --strict alone', async () => {
    const { url } = await deployment({
      fields: () => ({}),
      client: ({ headers }) => `${headers['x-client']}`,
    })
    const [lax, strict] = await Promise.all([
      tidegate([url, ...LIMIT]),
      tidegate([url, ...LIMIT, '--header', 'x-client: strict', '--strict']),
    ])
    expect(lax.code).toBe(0)
    expect(strict.code).toBe(4)
  })

  test('ends with 3 if a check was not examined, and shows why', async () => {
    const { url } = await deployment()
    const { code, out } = await tidegate([url, ...LIMIT, '--max-wait', '1ms'])
    expect(code).toBe(3)
    expect(out).toMatch(
      /\n {2}not examined {2}retry-after {5}Retry-After is [12] s, longer than --max-wait\.\n {32}→ Raise --max-wait/,
    )
    expect(out).toMatch(/\n {2}ok {12}limit {11}3 of 8 requests passed/)
    expect(out).toMatch(/\n\nno failures, no warnings, 2 not examined \(\d+ ms\)\n$/)
  })

  test('names each exit code once in --help, as docs/drill.md does', () => {
    const codes = Object.values(EXIT_CODES)
    expect(new Set(codes).size).toBe(codes.length)
    const page = readFileSync('docs/drill.md', 'utf8')
    for (const code of codes) {
      const [, meaning = ''] = RegExp(`^ {2}${code} {2}(.+)$`, 'm').exec(drill.usage) ?? []
      expect(meaning).not.toBe('')
      expect(page).toContain(
        `| ${code} | ${meaning.replaceAll('--yes', '`--yes`').replaceAll('--strict', '`--strict`')} |`,
      )
    }
  })

  test('says in one finding that nobody answers', async () => {
    const { code, out } = await tidegate([`http://127.0.0.1:${await freePort()}/`, ...LIMIT])
    expect(code).toBe(1)
    expect(out).toMatch(/failure +reachability {4}The deployment does not answer \(ECONNREFUSED\)/)
  })

  test('says in one finding that the host has no address', async () => {
    const { code, out } = await tidegate(['http://no-such-host.invalid/', ...LIMIT])
    expect(code).toBe(1)
    expect(out).toContain('The host of the URL has no address.')
  })
})

describe('a host that is not this machine', () => {
  // Each address of this machine answers at 0.0.0.0, which is no loopback address.
  const elsewhere = (url: string) => url.replace('127.0.0.1', '0.0.0.0')

  test('gets no request without --yes, and the plan is shown', async () => {
    const { url, requests } = await deployment()
    const { code, out, err } = await tidegate([elsewhere(url), ...LIMIT])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(
      /^tidegate drill: 0\.0\.0\.0 is not this machine\. The drill would send about 50 requests \(POST .*\), .*Add --yes if you may test this host\.\n$/,
    )
    expect(requests).toHaveLength(0)
  })

  test('is drilled with --yes', async () => {
    const { url, requests } = await deployment()
    const { code } = await tidegate([elsewhere(url), ...LIMIT, '--yes', '--max-wait', '1ms'])
    expect(code).toBe(3)
    expect(requests.length).toBeGreaterThan(8)
  })
})

test('an error of usage names the flag, and quotes no value of --header', async () => {
  const url = 'http://127.0.0.1:1/'
  for (const [args, message] of [
    [[], /^URL: expected the URL of a limited path.*, got nothing\n$/],
    [[url], /^--limit: expected a whole number from 1 to 5000, got nothing\n$/],
    [[url, '--limit', '3'], /^--window: expected a duration .*, got nothing\n$/],
    [[url, 'http://127.0.0.1:2/', ...LIMIT], /^URL: expected only one URL\n$/],
    [[url, ...LIMIT, '--max-requests', '5'], /^--max-requests: expected at least 50 .*, got 5\n$/],
    [[url, ...LIMIT, '--header', 'a-secret'], /^--header: expected "name: value", got a string/],
  ] as const) {
    const { code, out, err } = await tidegate(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toContain('a-secret')
  }
})
