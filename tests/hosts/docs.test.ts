import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import { bundle, NAME, objectsOf, startWorker, type WorkerOptions } from '../../scripts/workerd.ts'
import { startOrigin } from '../support/origin.ts'
import { redisCommand } from '../support/subjects.ts'
import { blocksOf, COMPILER_OPTIONS, installDocsCode, PAGES } from './support/docs-code.ts'

const { folder, load, remove } = installDocsCode(
  PAGES,
  'hono',
  '@upstash/redis',
  '@types/node',
  'ioredis',
  '@opentelemetry/api',
  '@trpc/server',
  '@types/express',
  'express',
  'fastify',
)
const gateway = inject('gateway')

// wrangler.toml names its main file by a path.
symlinkSync(join(folder, 'node_modules'), join(folder, 'README', 'node_modules'))

/** The statuses of requests, of which `send` makes one. */
async function statusesOf(
  count: number,
  send: () => { status: number } | Promise<{ status: number }>,
) {
  const statuses: number[] = []
  for (let request = 0; request < count; request++) statuses.push((await send()).status)
  return statuses
}

/** What a limit of 100 makes of 102 requests. */
const HUNDRED = [...Array(100).fill(200), 429, 429]

beforeAll(() => {
  process.env.UPSTASH_REDIS_REST_URL = gateway.url
  process.env.UPSTASH_REDIS_REST_TOKEN = gateway.token
})
afterAll(() => {
  delete process.env.UPSTASH_REDIS_REST_URL
  delete process.env.UPSTASH_REDIS_REST_TOKEN
  globalThis.fetch = send
  remove()
})

const { fetch: send } = globalThis

/**
 * The unnamed policy counts these as one unknown client, whoever came before. An isolate knows what
 * is used up in a database that it reaches through one `fetch`.
 */
const forget = () => {
  globalThis.fetch = (...args) => send(...args)
  return redisCommand(gateway, 'DEL', 'ratelimit:unknown')
}

describe('the code of the documents', () => {
  test('has no error of types', () => {
    const compilerOptions = { ...COMPILER_OPTIONS, allowImportingTsExtensions: true }
    const include = ['*/*.ts']
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))
    for (const page of PAGES) {
      const unnamed = blocksOf(page).filter(({ language, name }) => language === 'ts' && !name)
      expect(unnamed, `${page} has TypeScript that is checked by nobody`).toEqual([])
    }
    execFileSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { stdio: 'inherit' })
  })

  test('in options.md sets options that exist, to values that they take', async () => {
    const blocks = blocksOf('docs/options.md')
    expect(blocks.length).toBeGreaterThan(10)
    for (const { name } of blocks) await load(`options/${name}`)
  })

  test('for Hono limits', async () => {
    await forget()
    const { default: app } = await load('README/hono.ts')
    expect(await statusesOf(102, () => app.request('/api/hello'))).toEqual(HUNDRED)
  })

  for (const [name, exported] of [
    ['README/proxy.ts', 'proxy'],
    ['README/middleware.ts', 'middleware'],
    ['README/vercel.ts', 'default'],
    ['from-get-set/middleware.ts', 'middleware'],
  ] as const) {
    test(`in ${name} limits`, async () => {
      await forget()
      const { [exported]: middleware } = await load(name)
      const request = new Request('https://example.com/api/hello')
      expect((await middleware(request)).headers.get('x-middleware-next')).toBe('1')
      expect(await statusesOf(101, () => middleware(request))).toEqual(HUNDRED.slice(1))
    })
  }

  test('for anything else limits', async () => {
    await forget()
    const { GET } = await load('README/any.ts')
    const request = new Request('https://example.com/')
    expect(await (await GET(request)).json()).toEqual({ left: 99 })
    expect(await statusesOf(101, () => GET(request))).toEqual(HUNDRED.slice(1))
  })

  test('with an identifier limits each user', async () => {
    const { exportReport } = await load('limits/identifier.ts')
    const [ada, bob] = [{ id: crypto.randomUUID() }, { id: crypto.randomUUID() }]
    const by = (user: object) => () => exportReport(new Request('https://example.com/'), user)
    expect(await statusesOf(6, by(ada))).toEqual([...Array(5).fill(200), 429])
    expect(await statusesOf(1, by(bob))).toEqual([200])
  })

  test('with the decision in a handler tells what is left', async () => {
    await forget()
    const { default: app } = await load('limits/decision.ts')
    expect(await (await app.request('/')).json()).toEqual({ left: 99 })
  })

  test('with an answer of its own refuses by that', async () => {
    await forget()
    const { limiter } = await load('limits/refusal.ts')
    const ask = () => limiter.handle(new Request('https://example.com/'), () => new Response())
    await statusesOf(100, ask)
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toMatch(/^(?:59|60)$/)
    expect(await refused.json()).toMatchObject({ error: 'slow_down' })
  })

  test('with several policies limits by each', async () => {
    const { default: app } = await load('limits/policies.ts')
    const env = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: gateway.token }
    const headers = { 'x-api-key': crypto.randomUUID() }
    const response = await app.request('/api/x', { method: 'POST', headers }, env)
    expect(response.headers.get('ratelimit')).toBe('"burst";r=9;t=1, "hourly";r=999;t=3600')
  })

  test('for debugging logs the line that the page shows', async () => {
    const { info } = console
    const lines: string[] = []
    console.info = (line: string) => lines.push(line)
    try {
      const { createLimiter, storeFromEnv } = await load('node_modules/tidegate/dist/index.js')
      const limiter = createLimiter({ limit: 1, window: '1m', store: storeFromEnv, debug: true })
      await limiter.check(new Request('https://example.com/'), { ip: '203.0.113.7' })
    } finally {
      console.info = info
    }
    const shown = blocksOf('docs/troubleshooting.md').find(({ name }) => name === 'debug')
    const { host } = new URL(gateway.url)
    expect(lines).toEqual([shown?.code.trim().replace('eu1-calm-1234.upstash.io', host)])
  })

  /** The statuses of 102 requests to a Worker, one after the other to each of its isolates in turn. */
  async function statusesOfWorker(main: string, more: Partial<WorkerOptions> = {}) {
    const origin = await startOrigin()
    const { vars } = readConfig({ config: join(folder, 'README/wrangler.toml') })
    const script = await bundle({ entryPoints: [main], absWorkingDir: dirname(main) })
    const env = { ...vars, ORIGIN_URL: origin.url }
    const { server, stop } = await startWorker({ script, env, ...more })
    try {
      const names = [NAME, `${NAME}-2`].slice(0, more.isolates)
      const isolates = (await Promise.all(
        names.map((name) => server.getWorker(name)),
      )) as unknown as readonly Pick<typeof globalThis, 'fetch'>[]
      let sent = 0
      return await statusesOf(102, async () => {
        const isolate = isolates[sent++ % isolates.length]
        const response = await isolate?.fetch('http://gate/', { headers: { 'x-api-key': 'key' } })
        return response ?? Response.error()
      })
    } finally {
      await stop()
      await origin.stop()
    }
  }

  test('in README/wrangler.toml makes a Worker whose isolates share a limit', async () => {
    const config = readConfig({ config: join(folder, 'README/wrangler.toml') })
    const options = { objects: objectsOf(config), isolates: 2 }
    expect(await statusesOfWorker(`${config.main}`, options)).toEqual(HUNDRED)
    expect(config.routes).toEqual([{ pattern: 'example.com/*', zone_name: 'example.com' }])
  })

  test('in worker/wrangler.jsonc says what README/wrangler.toml does', () => {
    const configOf = (file: string) => {
      const {
        configPath: _,
        userConfigPath: __,
        ...config
      } = readConfig({ config: join(folder, file) })
      return JSON.parse(JSON.stringify(config).replaceAll(join(folder, dirname(file)), '.'))
    }
    expect(configOf('worker/wrangler.jsonc')).toEqual(configOf('README/wrangler.toml'))
  })

  test('in worker/worker.ts makes a Worker that limits', async () => {
    const main = join(folder, 'worker/worker.ts')
    expect(await statusesOfWorker(main, { isolates: 1 })).toEqual(HUNDRED)
  })

  test('of the store that the page shows passes the suite that the page shows', () => {
    const args = [
      '--test',
      '--test-reporter=tap',
      join(folder, 'writing-a-store/map-store.test.ts'),
    ]
    const { NODE_OPTIONS: _, ...env } = process.env
    const said = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: folder, env })
    expect(said).toMatch(/# pass 31\n# fail 0/)
  })
})
