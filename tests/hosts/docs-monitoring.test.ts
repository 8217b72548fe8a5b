/** The code of docs/monitoring.md, run. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { collector } from '../../src/metrics/index.ts'
import { type AnalyticsPoint, analyticsEngine } from '../support/monitoring/analytics-sql.ts'
import { promtoolComplaints } from '../support/prometheus-server.ts'
import { redisCommand } from '../support/subjects.ts'
import { installDocsCode } from './support/docs-code.ts'
import { installRecipes } from './support/recipes.ts'

const { variables, remove: removeRecipes } = installRecipes('hono', 'ioredis')
const { folder, load, remove } = installDocsCode(
  ['docs/monitoring.md'],
  'hono',
  'ioredis',
  '@opentelemetry/api',
)
process.env.METRICS_TOKEN = 'scrape-token'
const stops: (() => unknown)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
  delete process.env.METRICS_TOKEN
  removeRecipes()
  remove()
})

// Other files count the same unknown client.
await redisCommand(inject('gateway'), 'DEL', 'ratelimit:unknown')

const WITH_TOKEN = { headers: { authorization: 'Bearer scrape-token' } }
const CLIENT = { 'cf-connecting-ip': '203.0.113.7' }

/** What is logged meanwhile. */
async function logOf(run: () => Promise<unknown>): Promise<unknown[]> {
  const { log } = console
  const lines: string[] = []
  console.log = (line: string) => lines.push(line)
  try {
    await run()
  } finally {
    console.log = log
  }
  return lines.map((line) => JSON.parse(line))
}

describe('the route for Prometheus', () => {
  test('in Hono serves what the limiter has decided', async () => {
    const { default: app } = await load('monitoring/hono.ts')
    await app.request('/', { headers: CLIENT })
    expect((await app.request('/metrics')).status).toBe(401)
    const text = await (await app.request('/metrics', WITH_TOKEN)).text()
    expect(text).toMatch(/^tidegate_checks_total\{outcome="allowed",source="store"\} 1$/m)
    expect(promtoolComplaints(text)).toBe('')
  })

  test('of a Node server does so, too', async () => {
    const { server } = await load('monitoring/node.ts')
    server.listen(0, '127.0.0.1')
    stops.push(() => server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    const scraped = await fetch(`${url}/metrics`, {
      headers: { ...WITH_TOKEN.headers, accept: 'application/openmetrics-text' },
    })
    expect(scraped.headers.get('content-type')).toContain('application/openmetrics-text')
    expect(await scraped.text()).toMatch(/tidegate_checks_total\{.*\} 1\n[\s\S]*# EOF\n$/)
  })
})

test('the line of a decision is logged for refusals, and for no other request', async () => {
  const { default: middleware } = await load('monitoring/decisions.ts')
  const headers = { 'x-vercel-forwarded-for': '203.0.113.99' }
  const request = () => new Request('https://example.com/', { headers })
  const statuses: number[] = []
  const lines = await logOf(async () => {
    for (let n = 0; n < 101; n++) statuses.push((await middleware(request())).status)
  })
  expect(statuses).toContain(200)
  expect(statuses).toContain(429)
  expect(lines).toHaveLength(statuses.filter((status) => status === 429).length)
  expect(lines[0]).toMatchObject({ allowed: false, degraded: false, policies: [''] })
})

test('a collector, OpenTelemetry and a log line are given to limiters', async () => {
  for (const name of ['collector', 'telemetry', 'log']) {
    const { limiter } = await load(`monitoring/${name}.ts`)
    const decision = await limiter.check(new Request('https://example.com/'), { ip: '203.0.113.1' })
    expect(decision.source).toBe('store')
  }
})

describe('in a Worker, Analytics Engine', () => {
  const env = {
    URL: variables.UPSTASH_REDIS_REST_URL,
    TOKEN: variables.UPSTASH_REDIS_REST_TOKEN,
  }

  test('gets the points of each period, for the queries of the document', async () => {
    // The local binding forgets its points, so this Worker records what it is given.
    const main = mkdtempSync(join(tmpdir(), 'tidegate-analytics-'))
    stops.push(() => rmSync(main, { recursive: true }))
    const recipe = JSON.stringify(join(folder, 'monitoring/analytics.ts'))
    writeFileSync(
      join(main, 'main.ts'),
      `import worker from ${recipe}
const points = []
const now = Date.now
let later = 0
Date.now = () => now() + later
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url)
    if (pathname === '/points') return Response.json(points)
    if (pathname === '/later') return new Response(String((later += 10_000)))
    const ANALYTICS = { writeDataPoint: (point) => { env.ANALYTICS.writeDataPoint(point); points.push(point) } }
    return worker.fetch(request, { ...env, ANALYTICS }, ctx)
  },
}`,
    )
    const script = await bundle({ entryPoints: [join(main, 'main.ts')] })
    const worker = await startWorker({ script, env, datasets: ['ANALYTICS'] })
    stops.push(worker.stop)
    const visit = () => worker.fetch('/', { headers: { 'cf-connecting-ip': '203.0.113.77' } })
    expect((await visit()).status).toBe(200)
    for (let n = 0; n < 102; n++) await visit()
    await worker.fetch('/later')
    expect((await visit()).status).toBe(429)
    const points = (await (await worker.fetch('/points')).json()) as readonly AnalyticsPoint[]
    const found = points.find(({ blobs }) => blobs[0] === 'policy.decisions')
    expect(found?.indexes).toEqual(['default'])
    expect(found?.blobs.slice(0, 3)).toEqual(['policy.decisions', 'default', 'allowed'])
    expect(found?.doubles).toEqual([100, 0])
    const time = points.find(({ blobs }) => blobs[0] === 'store.operation.duration')
    expect(time?.blobs[5]).toContain('upstash at')
    expect(time?.blobs[6]).toBe('take')
    const [calls = 0, seconds = 0, ...buckets] = time?.doubles ?? []
    expect(calls).toBe(100)
    expect(buckets.reduce((sum, count) => sum + count)).toBe(100)
    expect(points.every(({ blobs, doubles }) => blobs.length <= 20 && doubles.length <= 20)).toBe(
      true,
    )
    expect(JSON.stringify(points)).not.toContain('203.0.113.77')

    const [ofRefusals = '', ofLatency = '', ...others] = [
      ...readFileSync('docs/monitoring.md', 'utf8').matchAll(/^```sql\n(.*?)^```$/gms),
    ].map(([, sql = '']) => sql)
    expect(others).toEqual([])
    const engine = analyticsEngine(points, 10)
    expect(engine.query(ofRefusals)).toEqual([
      { time: expect.any(Number), policy: 'default', refused: 10 * 4 },
    ])
    const measured = collector()
      .read()
      .find(({ name }) => name === 'store.operation.duration')
    expect(measured?.bounds?.[4]).toBe(0.01)
    const fast = buckets.slice(0, 5).reduce((sum, count) => sum + count) / calls
    expect(engine.query(ofLatency)).toEqual([
      {
        store: time?.blobs[5],
        ms: expect.closeTo((1000 * seconds) / calls),
        fast: expect.closeTo(fast),
      },
    ])
    engine.close()
  })
})
