import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import type { Report } from '../../src/doctor/doctor.ts'

const { url, token } = inject('gateway')
const prefix = `test-${crypto.randomUUID()}`
const redis = new Redis(inject('redisUrl'))
const worker = await startWorker({
  script: await bundle({
    stdin: {
      contents: `
        import { doctor } from './src/doctor/doctor.ts'
        import { memory } from './src/stores/memory.ts'
        export default {
          async fetch(request, { url, token, prefix }) {
            const target = new URL(request.url).pathname === '/memory' ? memory() : { url, token }
            return Response.json(await doctor(target, { prefix, maxLatency: '1s' }))
          },
        }`,
      loader: 'ts',
      resolveDir: process.cwd(),
    },
  }),
  env: { url, token, prefix },
})
afterAll(async () => {
  await worker.stop()
  redis.disconnect()
})

/** The response of a health route in workerd. */
const health = async (path: string) => (await (await worker.fetch(path)).json()) as Report

test('a health route in workerd, without Node APIs, examines its store and leaves nothing in it', async () => {
  const { ok, findings, latency } = await health('/')
  expect(findings.filter(({ level }) => level === 'warning' || level === 'failure')).toEqual([])
  expect({ ok, probes: latency?.probes }).toEqual({ ok: true, probes: 20 })
  for (const check of ['counting', 'expiry', 'clock', 'retries']) {
    expect(findings).toContainEqual(expect.objectContaining({ check, level: 'ok' }))
  }
  expect(await redis.keys(`${prefix}*`)).toEqual([])
  expect((await health('/memory')).level).toBe('ok')
})
