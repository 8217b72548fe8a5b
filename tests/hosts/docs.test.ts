import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { startOrigin } from '../support/origin.ts'
import { installPackage } from '../support/package.ts'
import { redisCommand } from '../support/subjects.ts'

const PAGES = ['README', 'docs/worker', 'docs/writing-a-store', 'docs/stores', 'docs/from-get-set']
const { folder, remove } = installPackage('hono', '@upstash/redis', '@types/node', 'ioredis')
const gateway = inject('gateway')

/** Every block of code that has a file's name, written to that file beside the installed package. */
const files = PAGES.flatMap((page) =>
  [...readFileSync(`${page}.md`, 'utf8').matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(
    ([, name = '', code = '']) => {
      writeFileSync(join(folder, name), code)
      return name
    },
  ),
)

const load = (name: string) => import(pathToFileURL(join(folder, name)).href)

/** The statuses of requests, of which `send` makes one. */
async function statusesOf(count: number, send: () => Response | Promise<Response>) {
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
  remove()
})

/** The unnamed policy counts these as one unknown client, whoever came before. */
const forget = () => redisCommand(gateway, 'DEL', 'ratelimit:unknown')

describe('the code of the documents', () => {
  test('has no error of types', () => {
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: ['node'],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    }
    const include = ['*.ts']
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))
    expect(files).toContain('hono.ts')
    execFileSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { stdio: 'inherit' })
  })

  test('for Hono limits', async () => {
    await forget()
    const { default: app } = await load('hono.ts')
    expect(await statusesOf(102, () => app.request('/api/hello'))).toEqual(HUNDRED)
  })

  for (const [name, exported] of [
    ['next.ts', 'middleware'],
    ['vercel.ts', 'default'],
    ['middleware.ts', 'middleware'],
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
    const { limited } = await load('any.ts')
    const request = new Request('https://example.com/')
    const handle = async () => new Response('handled')
    expect(await statusesOf(102, () => limited(request, handle))).toEqual(HUNDRED)
  })

  test('with several policies limits by each', async () => {
    const { default: app } = await load('policies.ts')
    const env = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: gateway.token }
    const headers = { 'x-api-key': crypto.randomUUID() }
    const response = await app.request('/api/x', { method: 'POST', headers }, env)
    expect(response.headers.get('ratelimit')).toBe('"burst";r=9;t=1, "hourly";r=999;t=3600')
  })

  for (const name of ['wrangler.toml', 'worker.ts']) {
    test(`in ${name} makes a Worker that limits`, async () => {
      const origin = await startOrigin()
      const config = readConfig({ config: join(folder, 'wrangler.toml') })
      const main = name === 'worker.ts' ? join(folder, name) : `${config.main}`
      expect(existsSync(main)).toBe(true)
      const script = await bundle({ entryPoints: [main], absWorkingDir: dirname(main) })
      const worker = await startWorker({ script, env: { ...config.vars, ORIGIN_URL: origin.url } })
      const headers = { 'x-api-key': 'key' }
      try {
        expect(await statusesOf(102, () => worker.fetch('/', { headers }))).toEqual(HUNDRED)
      } finally {
        await worker.stop()
        await origin.stop()
      }
    })
  }

  test('of the store that the page shows passes the suite that the page shows', () => {
    const args = ['--test', '--test-reporter=tap', join(folder, 'map-store.test.ts')]
    const { NODE_OPTIONS: _, ...env } = process.env
    const said = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: folder, env })
    expect(said).toMatch(/# pass 16\n# fail 0/)
  })
})
