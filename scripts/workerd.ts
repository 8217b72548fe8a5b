import { type BuildOptions, build } from 'esbuild'
import { Miniflare } from 'miniflare'

/** The newest date for which workerd does not switch Node's APIs on by itself (2026-08-04). */
const COMPATIBILITY_DATE = '2026-08-01'

export interface WorkerOptions {
  /** The text of the Worker, a module. */
  readonly script: string
  readonly env?: Readonly<Record<string, unknown>>
  /**
   * @default 0: one that is free
   */
  readonly port?: number
  /** For a client that cannot do without: @vercel/kv names `process` as it is imported. */
  readonly nodejsCompat?: boolean
}

/** A Worker in a real workerd on the loopback interface, without nodejs_compat. */
export async function startWorker({
  script,
  env = {},
  port = 0,
  nodejsCompat = false,
}: WorkerOptions) {
  const bindings = Object.entries(env).map(([name, value]) => [
    name,
    typeof value === 'string' ? { type: 'text', value } : { type: 'json', value },
  ])
  const server = new Miniflare({
    host: '127.0.0.1',
    port,
    workers: [
      {
        config: {
          name: 'gate',
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: nodejsCompat ? ['nodejs_compat'] : [],
          env: Object.fromEntries(bindings),
          manifest: {
            mainModule: 'worker.js',
            modules: { 'worker.js': { type: 'esm', contents: script } },
          },
        },
      },
    ],
  })
  const url = await server.ready
  return {
    url,
    fetch: (path: string, init?: RequestInit) => fetch(new URL(path, url), init),
    stop: () => server.dispose(),
  }
}

/** One module out of many, as a Worker's upload is built. */
export async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
    ...options,
  })
  return outputFiles?.[0]?.text ?? ''
}
