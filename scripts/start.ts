/** `npm start`: the Worker in workerd, in front of an origin, with the policies of wrangler.toml. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { unstable_readConfig as readConfig } from 'wrangler'
import { ConfigError } from '../src/errors.ts'
import { policiesFromEnv } from '../src/policy/policies-from-env.ts'
import type { PolicyOptions } from '../src/policy/policy-options.ts'
import { resolveStore } from '../src/stores/named-store.ts'
import { compileGate } from '../src/worker/front.ts'
import { bundle, objectsOf, startWorker } from './workerd.ts'

/** The variables of this process that are passed to the Worker. */
const PASSED = /^(ORIGIN_\w+|POLICIES|CORS_ORIGINS|UPSTASH_REDIS_\w+|(\w+_)?KV_REST_API_\w+)$/

/** Stands for the binding of wrangler.toml, which exists only inside of workerd. */
const OBJECT = { idFromName: () => ({}), get: () => ({}) }

try {
  await start()
} catch (error) {
  if (!(error instanceof ConfigError) && (error as { code?: string }).code !== 'EADDRINUSE')
    throw error
  console.error(`\n  ${(error as Error).message}\n`)
  process.exit(1)
}

async function start(): Promise<void> {
  const port = portOf(process.env.PORT || '8787')
  const passed = Object.entries(process.env).filter(([name, value]) => PASSED.test(name) && value)
  const given = Object.fromEntries(passed)
  const named = resolveStore([{ ...given, TIDEGATE: OBJECT }], 'TIDEGATE')
  const urlName = named?.kind === 'rest' ? named.urlName : undefined
  // Checked here, so that a wrong variable is reported before the first request.
  if (named?.kind === 'rest') named.credentials()
  await assertFree(port)

  const config = readConfig({ config: 'wrangler.toml' })
  const settings = { ...config.vars, ...given }
  const demo = settings.ORIGIN_URL === undefined ? await startDemo() : undefined
  const env = { ...settings, ...(demo && { ORIGIN_URL: demo.url }) }
  compileGate({}, env)
  const policies = policiesFromEnv(env.POLICIES)
  const script = await bundle({ entryPoints: ['scripts/demo-worker.ts'] })
  // One folder for each port, since only one process can open a folder.
  const state = join(process.env.STATE_DIR || '.wrangler/tidegate', `${port}`)
  const worker = await startWorker({ script, env, port, state, objects: objectsOf(config) })

  const stop = async () => {
    await worker.stop()
    demo?.stop()
    process.exit(0)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)

  const at = `http://localhost:${port}`
  console.log(`
  Tidegate is running: the Worker of src/worker.ts, in workerd

    gate      ${at}
    origin    ${new URL(`${env.ORIGIN_URL}`).origin}${demo ? ' (a small demo; ORIGIN_URL names another)' : ''}
    store     ${storeName(urlName, state)}
    policies  ${policies.map(describe).join('\n              ')}

  Try it: ten of these pass, five are refused

    for i in $(seq 15); do curl -s -o /dev/null -w '%{http_code}\\n' -X POST ${at}/api/user/sync; done
    curl -i -X POST ${at}/api/user/sync
`)
}

function storeName(urlName: string | undefined, state: string): string {
  if (urlName !== undefined) return `Upstash REST, named by ${urlName}`
  return `Durable Object, kept in ${state} (UPSTASH_REDIS_REST_URL and _TOKEN name another store)`
}

function describe({ name = 'default', limit, window, methods, match }: PolicyOptions): string {
  const which = `${methods ?? 'any method'} on ${match ?? 'any path'}`
  return `${name}: each client ${limit} per ${window}, ${which}`
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new ConfigError('PORT', 'a port from 1 to 65535', JSON.stringify(text))
}

/** workerd reports a port in use late, and with an error that is hard to understand. */
async function assertFree(port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(port, '127.0.0.1', resolve)
  })
  await new Promise((resolve) => probe.close(resolve))
}

/** An origin that responds with the method and path of the request. */
async function startDemo() {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(`The origin answers ${request.method} ${request.url}\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() }
}
