import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import { objectsOf, startWorker } from '../../scripts/workerd.ts'
import { startOrigin } from '../support/origin.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
const origin = await startOrigin()
afterAll(async () => {
  await origin.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('what wrangler would deploy runs in workerd without nodejs_compat, and limits by its object', async () => {
  const args = ['deploy', '--dry-run', '--outdir', folder]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
  const said = execFileSync(resolve('node_modules/.bin/wrangler'), args, { encoding: 'utf8', env })
  expect(said).toContain('--dry-run: exiting now.')

  const config = readConfig({ config: 'wrangler.toml' })
  expect(config.compatibility_flags).toEqual([])
  expect(config.cache).toMatchObject({ enabled: false })
  const objects = objectsOf(config)
  expect(objects).toEqual({ TIDEGATE: 'TidegateObject' })
  const script = readFileSync(join(folder, 'worker.js'), 'utf8')
  const variables = { ...config.vars, ORIGIN_URL: origin.url }
  const worker = await startWorker({ script, env: variables, objects })
  try {
    const statuses: number[] = []
    for (let request = 0; request < 12; request++) {
      statuses.push((await worker.fetch('/api/user/sync', { method: 'POST' })).status)
    }
    expect(statuses).toEqual([...Array(10).fill(200), 429, 429])
    expect(await worker.server.listDurableObjectIds('TIDEGATE')).toHaveLength(1)
  } finally {
    await worker.stop()
  }
})
