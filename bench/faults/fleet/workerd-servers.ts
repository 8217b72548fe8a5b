import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { bundle } from '../../../scripts/workerd.ts'
import type { Servers } from './fleet.ts'

/** The newest date for which workerd does not switch Node's APIs on by itself. */
const COMPATIBILITY_DATE = '2026-08-01'

/** One workerd, in which each isolate is a Worker with a port of its own. */
export async function workerdServers(app: string, isolates: number): Promise<Servers> {
  const contents = await scriptOf(app)
  const names = Array.from({ length: isolates }, (_, index) => `isolate-${index}`)
  const server = new Miniflare({
    host: '127.0.0.1',
    // A Worker that a runtime cancels answers 500, which is what visitors see.
    handleStructuredLogs() {},
    workers: names.map((name) => ({
      config: {
        name,
        compatibilityDate: COMPATIBILITY_DATE,
        manifest: {
          mainModule: 'worker.js',
          modules: { 'worker.js': { type: 'esm' as const, contents } },
        },
      },
      dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
    })),
  })
  await server.ready
  const urls = await Promise.all(names.map((name) => server.unsafeGetDirectURL(name)))
  return { urls: urls.map(({ origin }) => origin), stop: () => server.dispose() }
}

const scriptOf = (app: string) =>
  bundle({
    stdin: {
      contents: `
        import { app } from './apps/${app}.ts'
        import { isolate } from './fleet/isolate.ts'
        const handle = isolate(app)
        export default { fetch: (request, env, context) => handle(request, context) }`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
      loader: 'ts',
    },
  })
