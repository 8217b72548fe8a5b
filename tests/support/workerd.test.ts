/**
 * Runs the tests of what ships to the edge once more, inside workerd without nodejs_compat. Cloudflare's
 * own plugin for Vitest cannot: it switches Node's APIs on, which is what must be absent here.
 */
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, describe, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import type { TestOutcome, TestRun } from './workerd-worker.ts'

const FOLDERS =
  'tests/{client,policy,limiter,isolate,stores,response,adapters,worker,metrics}/**/*.test.ts'
const files = globSync(FOLDERS).sort()
const provided = { gateway: inject('gateway'), upstash: inject('upstash') }

const script = await bundle({
  entryPoints: ['tests/support/workerd-worker.ts'],
  alias: { vitest: resolve('tests/support/workerd-vitest.ts') },
  plugins: [
    {
      name: 'test-files',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^test-files$/ }, ({ path }) => ({ path, namespace: 'tests' }))
        onLoad({ filter: /./, namespace: 'tests' }, () => ({
          resolveDir: process.cwd(),
          contents: `export const files = {${files
            .map((file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(`./${file}`)})`)
            .join()}}`,
        }))
      },
    },
  ],
})
const worker = await startWorker({ script })
afterAll(worker.stop)

for (const file of files) {
  const response = await worker.fetch(`/?file=${encodeURIComponent(file)}`)
  const names: string[] = await response.json()
  describe(file, () => {
    for (const name of names) {
      test(name, async () => {
        const run: TestRun = { file, name, provided }
        const answer = await worker.fetch('/', { method: 'POST', body: JSON.stringify(run) })
        const { error } = (await answer.json()) as TestOutcome
        if (error) throw Object.assign(new Error(error.message), { stack: error.stack })
      })
    }
  })
}
