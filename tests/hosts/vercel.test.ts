/**
 * The Routing Middleware of this repository: built by a real `vercel build`, and what comes out run in
 * Vercel's own edge runtime, with the policies of the Worker.
 */
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { EdgeVM } from '@edge-runtime/vm'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import type { PolicyOptions } from '../../src/index.ts'
import { programs } from './support/programs.ts'

/** The newest that installs here; downloaded where it is not there yet. */
const CLI = 'vercel@60.1.3'
const BUILD = 240_000

const host = programs()
const gateway = inject('gateway')
const project = mkdtempSync(join(tmpdir(), 'tidegate-'))
const output = join(project, '.vercel/output')
const policies = readConfig({ config: 'wrangler.toml' }).vars.POLICIES as (PolicyOptions & {
  limit: number
})[]

/** What this repository is without what was built or installed in it. */
const BUILT =
  /\/(?:\.(?:astro|git|next|nuxt|output|svelte-kit|vercel|wrangler)|build|dist|node_modules)$/

let code: string
beforeAll(async () => {
  const root = resolve('.')
  cpSync(root, project, { recursive: true, filter: (path) => !BUILT.test(path.slice(root.length)) })
  // A linked project, as `vercel link` leaves it; a build needs no more of it than that it is there.
  const link = { projectId: 'prj_none', orgId: 'team_none', settings: {} }
  mkdirSync(join(project, '.vercel'))
  writeFileSync(join(project, '.vercel/project.json'), JSON.stringify(link))
  // The compiler is the one package of this repository that its build uses.
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(resolve('node_modules/typescript'), join(project, 'node_modules/typescript'))

  console.log(`Vercel: ${CLI} build`)
  // Whoever runs this may be logged in; their login stays out of it.
  const args = ['--yes', CLI, 'build', '--global-config', join(project, '.vercel/global')]
  const env = { VERCEL_INSTALL_COMPLETED: '1', VERCEL_TELEMETRY_DISABLED: '1' }
  await host.run('npx', args, { cwd: project, env })
  code = await scriptOf(join(output, 'functions/middleware.func'))
}, BUILD)

afterAll(async () => {
  await host.stop()
  rmSync(project, { recursive: true, force: true })
})

/** The modules of a function as one script, which is what the VM runs. */
async function scriptOf(folder: string): Promise<string> {
  const { entrypoint } = configOf(folder)
  const { outputFiles } = await build({
    entryPoints: [join(folder, entrypoint)],
    bundle: true,
    format: 'iife',
    globalName: 'built',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

const configOf = (folder: string) =>
  readJson(join(folder, '.vc-config.json')) as {
    readonly runtime: string
    readonly entrypoint: string
  }

/** The mark of Vercel's runtimes, by which they tell of the request that they handle. */
const MARK = Symbol.for('@vercel/request-context')
const onVercel = { [MARK]: { get: () => ({ headers: {}, url: '/', waitUntil() {} }) } }

/** An instance of what was built, with variables and globals as on Vercel. */
function deploy(variables: Readonly<Record<string, string>> = {}, globals: object = onVercel) {
  const env = {
    POLICIES: JSON.stringify(policies),
    UPSTASH_REDIS_REST_URL: gateway.url,
    UPSTASH_REDIS_REST_TOKEN: gateway.token,
    VERCEL: '1',
    ...variables,
  }
  const vm = new EdgeVM({
    initialCode: code,
    extend: (context) => Object.assign(context, { process: { env } }, globals),
  })
  const middleware: (request: Request, event: unknown) => Promise<Response> =
    vm.evaluate('built.default')
  return (path: string, init?: RequestInit) =>
    middleware(new vm.context.Request(`https://gate.example${path}`, init), {})
}

/** A client that no other run has been. */
function somebody(): string {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint16Array(2))
  return `2001:db8:${a.toString(16)}:${b.toString(16)}::1`
}

describe('the middleware of this repository on Vercel', () => {
  test('is built for the Edge runtime, as the only function', () => {
    const functions = globSync('**/.vc-config.json', { cwd: join(output, 'functions') })

    expect(functions).toEqual(['middleware.func/.vc-config.json'])
    expect(configOf(join(output, 'functions/middleware.func'))).toMatchObject({ runtime: 'edge' })
  })

  test('stands before every path, and no source is served behind it', () => {
    const { routes } = readJson(join(output, 'config.json')) as {
      readonly routes: readonly unknown[]
    }
    const files = globSync('**/*.*', { cwd: join(output, 'static') })

    expect(routes[0]).toMatchObject({ src: '^/.*$', middlewarePath: 'middleware' })
    // The documents and their plots.
    expect(files.filter((file) => !/\.(?:md|svg)$/.test(file))).toEqual([])
  })

  test('lets pass what the policies of the Worker allow, and refuses the next', async () => {
    const send = deploy()
    const headers = { 'x-vercel-forwarded-for': somebody() }
    const [sync, all] = policies
    const ask = () => send('/api/user/sync', { method: 'POST', headers })

    for (let left = (sync?.limit ?? 0) - 1; left >= 0; left--) {
      const allowed = await ask()
      expect(allowed.headers.get('x-middleware-next')).toBe('1')
      expect(allowed.headers.get('ratelimit')).toMatch(`"sync";r=${left};`)
      expect(allowed.headers.get('ratelimit-policy')).toBe(
        `"sync";q=${sync?.limit};w=60, "all";q=${all?.limit};w=60`,
      )
    }
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-middleware-next')).toBeNull()
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['sync'] })

    const elsewhere = await send('/', { headers })
    expect(elsewhere.headers.get('x-middleware-next')).toBe('1')
    expect(elsewhere.headers.get('ratelimit')).toMatch(/^"all";r=\d+;t=\d+$/)
  })

  test('knows a client by the address that Vercel tells, and by no other header', async () => {
    const send = deploy()
    const address = somebody()
    const quotas: string[] = []
    for (const forged of ['203.0.113.1', '203.0.113.2']) {
      const { headers } = await send('/', {
        headers: {
          'x-vercel-forwarded-for': address,
          'x-forwarded-for': forged,
          'x-real-ip': forged,
          'cf-connecting-ip': forged,
        },
      })
      quotas.push(headers.get('ratelimit') ?? '')
    }
    const limit = policies[1]?.limit ?? 0

    expect(quotas[0]).toMatch(`"all";r=${limit - 1};`)
    expect(quotas[1]).toMatch(`"all";r=${limit - 2};`)
  })

  test('gives five visitors five buckets', async () => {
    const send = deploy()
    for (let visitor = 1; visitor <= 5; visitor++) {
      const headers = { 'x-vercel-forwarded-for': somebody() }
      const response = await send('/', { headers })
      expect(response.headers.get('ratelimit')).toMatch(`"all";r=${(policies[1]?.limit ?? 0) - 1};`)
    }
  })

  test('believes that header nowhere but on Vercel, whatever the variables say', async () => {
    const name = `p${crypto.randomUUID()}`
    const send = deploy({ POLICIES: JSON.stringify([{ name, limit: 9, window: '1m' }]) }, {})
    const quotas: string[] = []
    for (const address of [somebody(), somebody()]) {
      const { headers } = await send('/', { headers: { 'x-vercel-forwarded-for': address } })
      quotas.push(headers.get('ratelimit') ?? '')
    }

    expect(quotas[0]).toMatch(`"${name}";r=8;`)
    expect(quotas[1]).toMatch(`"${name}";r=7;`)
  })

  test('loads with wrong policies, and says at the first request what is wrong', async () => {
    const send = deploy({ POLICIES: '[{ "name": "all", "limit": 0, "window": "1m" }]' })

    await expect(async () => send('/')).rejects.toThrow('POLICIES[0].limit')
  })
})
