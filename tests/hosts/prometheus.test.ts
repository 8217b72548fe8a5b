/** What Prometheus itself makes of the metrics: those of a Node server, and those of the gateway. */
import { createServer } from 'node:http'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { createLimiter } from '../../src/index.ts'
import { collector } from '../../src/metrics/index.ts'
import { toWebRequest } from '../../src/node.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startGateway } from '../support/gateway-server.ts'
import { listenLocally } from '../support/listen.ts'
import { promtoolComplaints, startPrometheus } from '../support/prometheus-server.ts'

const TOKEN = 'scrape-token'
const metrics = collector({ log: false })
const { onDecision, onStoreEvent } = metrics
const gateway = await startGateway(inject('redisUrl'))
const store = upstash(gateway, { prefix: `prometheus-${crypto.randomUUID()}` })
const limiter = createLimiter({
  policies: [
    { name: 'burst', limit: 3, window: '1m' },
    { name: 'hourly', limit: 100, window: '1h', lease: true },
  ],
  store,
  onDecision,
  onStoreEvent,
})
const away = createLimiter({
  limit: 9,
  window: '1m',
  store: upstash({ url: 'http://127.0.0.1:1', token: 'token' }),
  onDecision,
  onStoreEvent,
})

const server = createServer(async (request, response) => {
  const incoming = toWebRequest(request)
  if (request.url === '/metrics') {
    const scraped = metrics.respond(incoming, { token: TOKEN })
    response.writeHead(scraped.status, Object.fromEntries(scraped.headers))
    response.end(await scraped.text())
    return
  }
  const tried = request.url === '/away' ? away : limiter
  const decision = await tried.check(incoming, { ip: request.socket.remoteAddress })
  response.writeHead(decision.allowed ? 200 : 429, tried.headers(decision)).end()
})
const app = { url: `http://127.0.0.1:${await listenLocally(server)}` }

for (let n = 0; n < 5; n++) await fetch(app.url)
await fetch(`${app.url}/away`)
await fetch(`${app.url}/away`)

const ofGateway = { headers: { authorization: `Bearer ${gateway.token}` } }
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await gateway.stop()
})

describe('promtool check metrics has no complaint', () => {
  test('about a Node server', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const text = await (await fetch(`${app.url}/metrics`, { headers })).text()
    expect(text).toContain('tidegate_store_errors_total{')
    expect(promtoolComplaints(text)).toBe('')
  })

  test('about the gateway', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`, ofGateway)).text()
    expect(text).toContain('tidegate_store_memory_used_bytes ')
    expect(promtoolComplaints(text)).toBe('')
  })

  test('and complains about wrong metrics', () => {
    expect(promtoolComplaints('# TYPE tidegate_checks counter\ntidegate_checks 1\n')).toContain(
      '_total',
    )
  })
})

test('Prometheus scrapes both, with their tokens', async () => {
  const prometheus = await startPrometheus([
    { job: 'app', url: `${app.url}/metrics`, token: TOKEN },
    { job: 'gateway', url: `${gateway.url}/metrics`, token: gateway.token },
  ])
  try {
    expect(await prometheus.scrapeErrors()).toEqual([])
    const values = {
      'sum(tidegate_checks_total)': 7,
      'sum(tidegate_policy_decisions_total{policy="burst",outcome="refused"})': 2,
      'sum(tidegate_degraded_total)': 2,
      'tidegate_breaker_open{store=~".*127.0.0.1:1.*"}': 1,
      'sum(tidegate_store_errors_total{error_type="unreachable"})': 1,
      tidegate_check_duration_seconds_count: 7,
      'tidegate_check_duration_seconds_bucket{le="+Inf"}': 7,
      tidegate_store_up: 1,
    }
    for (const [query, value] of Object.entries(values)) {
      expect(await prometheus.query(query), query).toBe(value)
    }
    expect(await prometheus.query('tidegate_store_memory_used_bytes')).toBeGreaterThan(100_000)
    expect(
      await prometheus.query('sum(tidegate_gateway_requests_total{status="200"})'),
    ).toBeGreaterThan(0)
  } finally {
    await prometheus.stop()
  }
})

test('Prometheus cannot scrape without the token', async () => {
  const prometheus = await startPrometheus([{ job: 'gateway', url: `${gateway.url}/metrics` }])
  try {
    const [error] = await prometheus.scrapeErrors()
    expect(error).toContain('401')
  } finally {
    await prometheus.stop()
  }
})
