/** `GET /metrics` of the gateway. `tests/hosts/prometheus.test.ts` has it read by Prometheus. */
import { afterAll, expect, inject, test } from 'vitest'
import { startGateway } from '../support/gateway-server.ts'
import { startRedis } from '../support/redis-server.ts'

const gateway = await startGateway(inject('redisUrl'))
afterAll(gateway.stop)

const scrape = async (at: { url: string; token: string }, method = 'GET') => {
  const headers = { authorization: `Bearer ${at.token}` }
  const response = await fetch(`${at.url}/metrics`, { method, headers })
  return { status: response.status, text: await response.text() }
}

const callsOf = async (command: string) => {
  const stats = await gateway.redis.info('commandstats')
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

test('needs the token', async () => {
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(401)
  expect((await scrape({ url: gateway.url, token: 'wrong' })).status).toBe(401)
})

test('counts requests by route and status, without the keys in their paths', async () => {
  const headers = { authorization: `Bearer ${gateway.token}` }
  await fetch(`${gateway.url}/get/secret-key`, { headers })
  await fetch(`${gateway.url}/pipeline`, { method: 'POST', headers, body: '[["PING"]]' })
  const { text } = await scrape(gateway)
  expect(text).toContain('tidegate_gateway_requests_total{route="/…",status="200"} 1')
  expect(text).toContain('tidegate_gateway_requests_total{route="/pipeline",status="200"} 1')
  expect(text).toContain('tidegate_gateway_request_duration_seconds_count{route="/pipeline"} 1')
  expect(text).not.toContain('secret-key')
})

test('reads the memory, keys and evictions of Redis with one INFO', async () => {
  await gateway.redis.set(`metrics-${crypto.randomUUID()}`, '1', 'PX', 10_000)
  const before = await callsOf('info')
  const { text } = await scrape(gateway)
  // One of the test's own.
  expect((await callsOf('info')) - before).toBe(2)
  expect(text).toMatch(/^tidegate_store_up 1$/m)
  expect(text).toMatch(/^tidegate_store_memory_used_bytes \d{6,}$/m)
  expect(text).toMatch(/^tidegate_store_memory_max_bytes \d+$/m)
  expect(text).toMatch(/^tidegate_store_evicted_keys_total \d+$/m)
  expect(text).toMatch(/^tidegate_store_keys [1-9]\d*$/m)
})

test('is no way around the filter of commands: other methods are commands', async () => {
  const { status, text } = await scrape(gateway, 'POST')
  expect(status).toBe(400)
  expect(text).not.toContain('tidegate_store_up')
})

test('shows a Redis that is away, or that refuses INFO', async () => {
  const redis = await startRedis()
  const other = await startGateway(redis.url)
  try {
    await other.redis.call('ACL', 'SETUSER', 'default', '-info')
    const refused = await scrape(other)
    expect(refused.text).toMatch(/^tidegate_store_up 1$/m)
    expect(refused.text).not.toContain('tidegate_store_memory')
    await redis.stop()
    const away = await scrape(other)
    expect(away.status).toBe(200)
    expect(away.text).toMatch(/^tidegate_store_up 0$/m)
  } finally {
    await other.stop()
    await redis.stop()
  }
})
