import { type BuildOptions, build } from 'esbuild'
import { Miniflare } from 'miniflare'

/** The newest date for which workerd does not switch Node's APIs on by itself (2026-08-04). */
const COMPATIBILITY_DATE = '2026-08-01'

export interface WorkerOptions {
  /** The text of the Worker, a module. */
  readonly script: string
  readonly env?: Readonly<Record<string, unknown>>
  /** Bindings of Durable Objects with SQLite, each with the name of its class. */
  readonly objects?: Readonly<Record<string, string>>
  /** Bindings of Analytics Engine. */
  readonly datasets?: readonly string[]
  /**
   * The folder in which the objects' rows outlive the Worker.
   * @default a temporary one
   */
  readonly state?: string
  /**
   * How many Workers, each an isolate, to run beside one another over the objects of the first.
   * @default 1
   */
  readonly isolates?: number
  /** Whether `server` can inspect the objects' storage. */
  readonly inspect?: boolean
  /**
   * @default 0: any free port
   */
  readonly port?: number
  /**
   * @default the newest for which workerd does not switch Node's APIs on by itself
   */
  readonly compatibilityDate?: string
  /** For @vercel/kv, which uses `process` when it is imported. */
  readonly nodejsCompat?: boolean
}

/** A Worker in a real workerd on the loopback interface, without nodejs_compat. */
export async function startWorker({
  script,
  env = {},
  objects = {},
  datasets = [],
  state,
  isolates = 1,
  inspect = false,
  port = 0,
  nodejsCompat = false,
  compatibilityDate = COMPATIBILITY_DATE,
}: WorkerOptions) {
  const variables = Object.entries(env).map(([name, value]) => [
    name,
    typeof value === 'string' ? { type: 'text', value } : { type: 'json', value },
  ])
  const bindings = Object.entries(objects).map(([name, exportName]) => [
    name,
    { type: 'durable-object', worker: NAME, exportName },
  ])
  const engines = datasets.map((name) => [name, { type: 'analytics-engine-dataset', name }])
  const classes = Object.values(objects).map((name) => [
    name,
    { type: 'durable-object', storage: 'sqlite' },
  ])
  const worker = (name: string, exported: typeof classes) => ({
    config: {
      name,
      compatibilityDate,
      compatibilityFlags: nodejsCompat ? ['nodejs_compat'] : [],
      env: Object.fromEntries([...variables, ...bindings, ...engines]),
      exports: Object.fromEntries(exported),
      manifest: {
        mainModule: 'worker.js',
        modules: { 'worker.js': { type: 'esm' as const, contents: script } },
      },
    },
  })
  const others = Array.from({ length: isolates - 1 }, (_, index) => `${NAME}-${index + 2}`)
  const server = new Miniflare({
    host: '127.0.0.1',
    port,
    ...(state && { resourcePersistencePath: state }),
    unsafeInspectDurableObjects: inspect,
    workers: [worker(NAME, classes), ...others.map((name) => worker(name, []))],
  })
  const url = await server.ready
  return {
    url,
    fetch: (path: string, init?: RequestInit) => fetch(new URL(path, url), init),
    stop: () => server.dispose(),
    /** Miniflare itself, to reach further isolates and the objects' rows. */
    server,
  }
}

/** The first Worker's name; further ones are `gate-2` and so on. */
export const NAME = 'gate'

/** The part of wrangler.toml about Durable Objects, as wrangler reads it. */
interface WranglerConfig {
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[]
  }
  readonly migrations: readonly { readonly new_sqlite_classes?: readonly string[] }[]
}

/** The bindings of Durable Objects with SQLite in a wrangler.toml, as `startWorker` takes them. */
export function objectsOf({ durable_objects, migrations }: WranglerConfig): Record<string, string> {
  const classes = migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes)
  const bindings = durable_objects.bindings.filter((one) => classes.includes(one.class_name))
  return Object.fromEntries(bindings.map(({ name, class_name }) => [name, class_name]))
}

/** Bundles modules into one, as for the upload of a Worker. */
export async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
    ...options,
    external: [...(options.external ?? []), 'cloudflare:*'],
  })
  return outputFiles?.[0]?.text ?? ''
}
