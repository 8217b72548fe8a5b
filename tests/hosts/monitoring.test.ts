/** `examples/monitoring`, with Debian's Prometheus and promtool. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { interpolate, queries } from '../support/monitoring/dashboard.ts'
import { type CauseName, startSite } from '../support/monitoring/site.ts'
import { promtool, spawnPrometheus } from '../support/prometheus-server.ts'

const FOLDER = 'examples/monitoring'
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8')
const rules = read('rules.yml')
const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name)
const tests = readdirSync(join(FOLDER, 'tests'))
const dashboard = read('grafana-dashboard.json')
/** Metrics of the rules and the dashboard, as Prometheus names their series. */
const used = new Set(`${rules}${dashboard}`.match(/\btidegate_\w+\b/g))

const copy = mkdtempSync(join(tmpdir(), 'tidegate-rules-'))
mkdirSync(join(copy, 'tests'))
for (const file of tests) writeFileSync(join(copy, 'tests', file), read(`tests/${file}`))
afterAll(() => rmSync(copy, { recursive: true }))

describe('promtool', () => {
  test('accepts the rules and the configuration', () => {
    expect(promtool(['check', 'rules', join(FOLDER, 'rules.yml')])).toContain('7 rules found')
    promtool(['check', 'config', '--syntax-only', join(FOLDER, 'prometheus.yml')])
  })

  test.each(tests)('sees each alert fire and end: %s', (file) => {
    expect(promtool(['test', 'rules', join(FOLDER, 'tests', file)])).toContain('SUCCESS')
  })

  test.each(alerts)('misses %s if the rule is gone', (alert) => {
    writeFileSync(join(copy, 'rules.yml'), rules.replace(`alert: ${alert}\n`, 'alert: Other\n'))
    const named = tests.filter((file) => read(`tests/${file}`).includes(alert))
    // One file has its texts, another a recorded cause.
    expect(named.length).toBeGreaterThan(1)
    for (const file of named) {
      expect(() => promtool(['test', 'rules', join(copy, 'tests', file)])).toThrow(alert)
    }
  })

  test('accepts each query of the dashboard', () => {
    expect(queries.length).toBeGreaterThan(25)
    const records = queries.map(({ expr }, index) => ({
      record: `query_${index}`,
      expr: interpolate(expr, '5m'),
    }))
    const file = join(copy, 'queries.yml')
    // YAML contains JSON.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: records }] }))
    expect(promtool(['check', 'rules', file])).toContain(`${queries.length} rules found`)
  })
})

test('each alert has a section with what to do', () => {
  const headings = [...read('README.md').matchAll(/^### (\w+)$/gm)].map(([, name]) => name)
  expect(headings).toEqual(alerts)
  const links = [...rules.matchAll(/runbook_url: (.*)#(.*)/g)]
  expect(links.map(([, , anchor]) => anchor)).toEqual(alerts.map((name) => name.toLowerCase()))
  for (const [, page] of links) {
    expect(page).toBe(
      'https://github.com/tidegate/tidegate/blob/main/examples/monitoring/README.md',
    )
  }
})

describe('a real Prometheus, with the configuration of the example', async () => {
  const site = await startSite()
  const { app, gateway } = site.jobs
  const prometheus = await spawnPrometheus({
    'prometheus.yml': read('prometheus.yml')
      .replaceAll('15s', '1s')
      .replace('localhost:3000', new URL(app.url).host)
      .replace('localhost:8079', new URL(gateway.url).host),
    'metrics-token': app.token,
    'gateway-token': gateway.token,
    // Minutes become seconds, so that an alert fires and ends while the test waits.
    'rules.yml': rules
      .replace(/\[\d+m\]/g, '[3s]')
      .replace(/(for|keep_firing_for): \d+m/g, '$1: 1s'),
  })
  afterAll(async () => {
    await prometheus.stop()
    await site.stop()
  })

  test('scrapes the app and the gateway, with their tokens', async () => {
    // promtool has blocked this process, so that scrapes have failed.
    await expect.poll(prometheus.scrapeErrors, { timeout: 15_000 }).toEqual([])
  })

  test('knows each metric of the rules and the dashboard', async () => {
    // The series of leases, refusals and near limits begin with the first of each.
    const later = /_(?:lease_units|policy_near_limit)_total$/
    const missing = async () => {
      const known = await prometheus.metrics()
      return [...used].filter((name) => !known.includes(name) && !later.test(name))
    }
    await expect.poll(missing, { timeout: 15_000 }).toEqual([])
  })

  test('has a result for each query of the dashboard', async () => {
    // No alert has fired yet, and the load has no leases, refusals and near limits.
    const later = /ALERTS|_lease_units_|_near_limit_|outcome="refused"/
    const empty = async () => {
      const titles: string[] = []
      for (const { title, expr } of queries) {
        const query = `count(${interpolate(expr, '5s')})`
        if ((await prometheus.query(query)) === undefined && !later.test(expr)) titles.push(title)
      }
      return titles
    }
    await expect.poll(empty, { timeout: 20_000 }).toEqual([])
  })

  const causes: readonly (readonly [CauseName, ...string[]])[] = [
    ['slow', 'TidegateStoreSlow'],
    ['failing', 'TidegateStoreErrorRate'],
    ['full', 'TidegateBreakerOpen', 'TidegateStoreMemory'],
    ['evicting', 'TidegateStoreEvicting'],
    ['stopped', 'TidegateBreakerOpen', 'TidegateStoreUnreachable'],
    ['unwatched', 'TidegateNotScraped'],
  ]
  for (const [cause, ...names] of causes) {
    test(`sees ${names.join(' and ')} while the store is ${cause}, and not after it`, async () => {
      const firing = async () => (await prometheus.firing()).filter((name) => names.includes(name))
      await site.causes[cause].begin()
      await expect.poll(firing, { timeout: 25_000 }).toEqual(names)
      await site.causes[cause].end()
      await expect.poll(firing, { timeout: 25_000 }).toEqual([])
    })
  }
})
