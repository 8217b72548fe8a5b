/** The text that Prometheus reads. `tests/hosts/prometheus.test.ts` has it read by Prometheus. */
import { describe, expect, test } from 'vitest'
import { createLimiter, memory } from '../../src/index.ts'
import { collector } from '../../src/metrics/index.ts'
import { writePrometheus } from '../../src/metrics/prometheus.ts'

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

async function metricsOfOneCheck() {
  const metrics = collector()
  const { onDecision, onStoreEvent } = metrics
  const store = memory()
  const limiter = createLimiter({ limit: 9, window: '1m', store, onDecision, onStoreEvent })
  await limiter.check(new Request('https://example.com/'), { ip: '203.0.113.7' })
  return metrics
}

const get = (headers: Record<string, string> = {}, method = 'GET') =>
  new Request('https://example.com/metrics', { method, headers })

describe('prometheus', () => {
  test('writes names with unit and _total, help, type and labels', async () => {
    const metrics = await metricsOfOneCheck()
    const lines = metrics.prometheus().split('\n')
    expect(lines).toContain('# TYPE tidegate_checks_total counter')
    expect(lines).toContain('tidegate_checks_total{outcome="allowed",source="store"} 1')
    expect(lines).toContain('tidegate_policy_decisions_total{policy="default",outcome="allowed"} 1')
    expect(lines).toContain('# TYPE tidegate_check_duration_seconds histogram')
    expect(lines).toContain('tidegate_check_duration_seconds_bucket{le="+Inf"} 1')
    expect(lines).toContain('tidegate_check_duration_seconds_count 1')
    expect(lines).toContain('tidegate_breaker_open{store="memory of this isolate"} 0')
    expect(lines).not.toContain('# EOF')
  })

  test('writes OpenMetrics with units, names without _total in heads, and an end', async () => {
    const lines = (await metricsOfOneCheck()).prometheus('openmetrics').split('\n')
    expect(lines).toContain('# TYPE tidegate_checks counter')
    expect(lines).toContain('tidegate_checks_total{outcome="allowed",source="store"} 1')
    expect(lines).toContain('# UNIT tidegate_check_duration_seconds seconds')
    expect(lines.slice(-2)).toEqual(['# EOF', ''])
  })

  test('counts buckets cumulatively, and escapes what a label contains', () => {
    const labels = { store: 'a "quoted"\\path\nline' }
    const points = [{ labels, value: 3, sum: 2.5, buckets: [1, 1, 1] }]
    const metric = {
      name: 'x',
      type: 'histogram',
      unit: 's',
      help: 'X.',
      bounds: [0.5, 1],
    } as const
    const label = 'store="a \\"quoted\\"\\\\path\\nline"'
    expect(
      writePrometheus([{ ...metric, points }], 'text')
        .split('\n')
        .slice(2),
    ).toEqual([
      `tidegate_x_seconds_bucket{${label},le="0.5"} 1`,
      `tidegate_x_seconds_bucket{${label},le="1.0"} 2`,
      `tidegate_x_seconds_bucket{${label},le="+Inf"} 3`,
      `tidegate_x_seconds_sum{${label}} 2.5`,
      `tidegate_x_seconds_count{${label}} 3`,
      '',
    ])
  })
})

describe('respond', () => {
  test('serves the format that the scraper prefers', async () => {
    const metrics = await metricsOfOneCheck()
    const cases = [
      ['', TEXT],
      ['*/*', TEXT],
      ['text/plain', TEXT],
      ['application/openmetrics-text', OPEN],
      // Prometheus 2.42.
      [
        'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
        OPEN,
      ],
      ['application/openmetrics-text;q=0.1,text/plain', TEXT],
      ['application/openmetrics-text;q=0', TEXT],
    ] as const
    for (const [accept, type] of cases) {
      const response = metrics.respond(get(accept ? { accept } : {}))
      expect(response.headers.get('content-type'), accept).toBe(type)
      expect((await response.text()).endsWith('# EOF\n'), accept).toBe(type === OPEN)
    }
  })

  test('a missing or empty token, or a misspelt option, opens nothing', () => {
    for (const options of [{ token: undefined }, { token: '' }, { token: null }, { tokn: 'a' }]) {
      expect(() => collector().respond(get(), options as never)).toThrow(/^tok(?:e?n): expected/)
    }
  })

  test('asks for the token, if there is one', async () => {
    const metrics = await metricsOfOneCheck()
    const status = (authorization?: string) =>
      metrics.respond(get(authorization ? { authorization } : {}), { token: 'scrape-token' }).status
    expect(status('Bearer scrape-token')).toBe(200)
    expect(status('bearer scrape-token')).toBe(200)
    for (const wrong of [
      undefined,
      'Bearer scrape-tokem',
      'Bearer scrape-token2',
      'Basic scrape-token',
    ]) {
      expect(status(wrong), wrong).toBe(401)
    }
  })

  test('answers GET and HEAD only', async () => {
    const metrics = await metricsOfOneCheck()
    expect(metrics.respond(get({}, 'POST')).status).toBe(405)
    const head = metrics.respond(get({}, 'HEAD'))
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
  })
})
