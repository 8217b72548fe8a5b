import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { installPackage } from '../support/package.ts'

const installed = installPackage('hono', '@hono/node-server', 'ioredis')
const running: ChildProcess[] = []
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  installed.remove()
})

const app = `
  import { Hono } from 'hono'
  import { storeFromEnv } from 'tidegate'
  import { rateLimit } from 'tidegate/hono'
  const app = new Hono()
  app.use(rateLimit({ limit: 3, window: '1m', store: storeFromEnv }))
  app.get('/', (c) => c.text('hello'))
`

/** How each runtime serves the same app, and how it is started. */
const RUNTIMES = {
  Node: {
    command: [process.execPath],
    serve: `
      import { serve } from '@hono/node-server'
      serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log('port', port))`,
  },
  Bun: {
    command: [resolve('node_modules/.bin/bun')],
    serve: `
      const { port } = Bun.serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
      console.log('port', port)`,
  },
  Deno: {
    // The network is all that it may use: the library needs no more, not even the variables.
    command: [resolve('node_modules/.bin/deno'), 'run', '--no-prompt', '--allow-net'],
    /** With leave to read variables and files, which ioredis needs. */
    allowed: ['--allow-env', '--allow-read', '--allow-sys'],
    serve: `
      const onListen = ({ port }) => console.log('port', port)
      Deno.serve({ hostname: '127.0.0.1', port: 0, onListen }, app.fetch)`,
  },
}

async function start(
  name: string,
  [program = '', ...args]: readonly string[],
  code: string,
  variables: Readonly<Record<string, string>> = {},
) {
  const file = join(installed.folder, `${name}.mjs`)
  writeFileSync(file, code)
  const env = { ...process.env, ...variables }
  const child = spawn(program, [...args, file], { cwd: installed.folder, env })
  running.push(child)
  let output = ''
  return new Promise<number>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk
      const [, port] = /port (\d+)/.exec(output) ?? []
      if (port) resolve(Number(port))
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', () => reject(new Error(output)))
  })
}

const FORGED = ['x-forwarded-for', 'x-real-ip', 'x-vercel-forwarded-for', 'cf-connecting-ip']

/** One request from an address of the loopback network, claiming to come from elsewhere. */
async function ask(port: number, localAddress: string) {
  const forged = `198.51.100.${Math.floor(Math.random() * 255)}`
  const headers = Object.fromEntries(FORGED.map((name) => [name, forged]))
  const asked = request({ host: '127.0.0.1', port, localAddress, headers }).end()
  const [response] = await once(asked, 'response')
  response.resume()
  return { status: response.statusCode, rateLimit: response.headers.ratelimit }
}

describe('the built package limits a Hono app by the address of the connection', () => {
  for (const [name, { command, serve }] of Object.entries(RUNTIMES)) {
    test(`on ${name}`, async () => {
      const port = await start(name, command, app + serve)
      const statuses: number[] = []
      for (let i = 0; i < 5; i++) statuses.push((await ask(port, '127.0.0.1')).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
      expect(await ask(port, '127.0.0.2')).toEqual({ status: 200, rateLimit: '"default";r=2;t=60' })
    })
  }
})

describe('a server is not taken for a platform by variables and globals that can be copied', () => {
  // Of `vercel env pull`.
  const variables = { VERCEL: '1', VERCEL_ENV: 'development', VERCEL_TARGET_ENV: 'development' }
  const written = 'class WebSocketPair {}'
  const copies: readonly (readonly ['Node' | 'Bun' | 'Deno', string])[] = [
    ['Node', written],
    ['Node', 'new Proxy(class {}, {})'],
    ['Node', '(function WebSocketPair() {}).bind(null)'],
    // Bun's source text of a bound function has the name of the function.
    ['Bun', `(${written}).bind(null)`],
    ['Bun', 'new Proxy(class WebSocketPair {}, {})'],
    ['Deno', `(${written}).bind(null)`],
  ]
  for (const [index, [name, pair]] of copies.entries()) {
    test(`${pair} on ${name}`, async () => {
      const { command, serve } = RUNTIMES[name]
      const polyfilled = `
        Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' } })
        globalThis.WebSocketPair = ${pair}
      `
      const port = await start(`copied-${index}`, command, app + polyfilled + serve, variables)
      const statuses: number[] = []
      for (let i = 0; i < 5; i++) statuses.push((await ask(port, '127.0.0.1')).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
    })
  }
})

test('on Deno, which may read two variables by name and list none, the store counts', async () => {
  const { command, serve } = RUNTIMES.Deno
  const { url, token } = inject('gateway')
  const variables = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token }
  const policy = `runtimes-${crypto.randomUUID()}`
  const named = app.replace("window: '1m',", `window: '1m', name: '${policy}',`)
  const port = await start(
    'Deno-narrow',
    [...command, `--allow-env=${Object.keys(variables)}`],
    named + serve,
    variables,
  )
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await ask(port, '127.0.0.1')).status)
  expect(statuses).toEqual([200, 200, 200, 429])
  const redis = new Redis(inject('redisUrl'))
  expect(await redis.get(`ratelimit:${policy}:127.0.0.1`)).toBe('3')
  redis.disconnect()
})

test('on Deno without permission for variables, the warning says so', () => {
  const file = join(installed.folder, 'denied.mjs')
  writeFileSync(file, `import { storeFromEnv } from 'tidegate'\nstoreFromEnv()`)
  const [program, ...args] = RUNTIMES.Deno.command
  const env = { ...process.env, UPSTASH_REDIS_REST_URL: 'https://x.io' }
  const { stderr } = spawnSync(program ?? '', [...args, file], { env, encoding: 'utf8' })
  expect(stderr).toContain('Not used: variables that Deno may not read (--allow-env)')
})

test('on Deno with permission for one variable of two, the error names the other', () => {
  const file = join(installed.folder, 'half.mjs')
  writeFileSync(file, `import { storeFromEnv } from 'tidegate'\nstoreFromEnv()`)
  const [program, ...args] = RUNTIMES.Deno.command
  const pair = ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN']
  const env = { ...process.env, [`${pair[0]}`]: 'https://x.io', [`${pair[1]}`]: 'token' }
  for (const [allowed, other] of [pair, pair.toReversed()]) {
    const all = [...args, `--allow-env=${allowed}`, file]
    const { stderr } = spawnSync(program ?? '', all, { env, encoding: 'utf8' })
    expect(stderr).toMatch(RegExp(`ConfigError: ${other}: expected .+, got nothing`))
    expect(stderr).not.toContain('NotCapable')
  }
})

describe('tidegate/node counts in the Redis that REDIS_URL names', () => {
  const overTcp = app
    .replace("{ storeFromEnv } from 'tidegate'", "{ storeFromEnv } from 'tidegate/node'")
    .replace("window: '1m',", "window: '1m', name: globalThis.process.env.NAME,")
  for (const [name, { command, serve, ...more }] of Object.entries(RUNTIMES)) {
    test(`on ${name}`, async () => {
      const policy = `runtimes-${name}-${crypto.randomUUID()}`
      const variables = { REDIS_URL: inject('redisUrl'), NAME: policy }
      const allowed = 'allowed' in more ? more.allowed : []
      const port = await start(`${name}-tcp`, [...command, ...allowed], overTcp + serve, variables)
      const statuses: number[] = []
      for (let i = 0; i < 5; i++) statuses.push((await ask(port, '127.0.0.1')).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
      const redis = new Redis(inject('redisUrl'))
      expect(await redis.get(`ratelimit:${policy}:127.0.0.1`)).toBe('3')
      redis.disconnect()
    })
  }
})

describe('an app that exports the Durable Object can be imported', () => {
  const code = `
    import gate, { front } from 'tidegate/worker'
    import * as gateExports from 'tidegate/worker'
    import { durableObject, TidegateObject } from 'tidegate/durable-object'
    const { status } = await gate.fetch(new Request('https://example.com/'), {})
    const made = [TidegateObject, gateExports.TidegateObject].map((Class) => {
      try {
        return new Class()
      } catch (error) {
        return error.message
      }
    })
    console.log(JSON.stringify([typeof front, typeof durableObject, status, ...made]))`
  for (const [name, { command }] of Object.entries(RUNTIMES)) {
    test(`on ${name}, and says that it runs on Workers alone`, () => {
      const file = join(installed.folder, `${name}-durable-object.mjs`)
      writeFileSync(file, code)
      const [program = '', ...args] = command
      const { stdout, stderr } = spawnSync(program, [...args, file], { encoding: 'utf8' })
      const message = expect.stringMatching(/^TidegateObject: .*Cloudflare Workers/)
      expect(JSON.parse(stdout || '[]'), stderr).toEqual([
        'function',
        'function',
        500,
        message,
        message,
      ])
    })
  }
})
