/** What the oldest and the newest SDK of OpenTelemetry for Node 20 receive from `tidegate/otel`. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { installPackage } from '../support/package.ts'

interface Received {
  readonly metrics: readonly {
    readonly name: string
    readonly unit: string
    readonly points: readonly {
      readonly attributes: Readonly<Record<string, string>>
      readonly value: unknown
    }[]
  }[]
  readonly events: readonly {
    readonly name: string
    readonly attributes: Readonly<Record<string, unknown>>
  }[]
}

/** By the names in devDependencies. Version 3 of the SDK needs Node 22.15. */
const SDKS = {
  'the oldest SDK, 1.8 with the API 1.3': {
    api: 'otel-api-1.3',
    'sdk-metrics': 'otel-sdk-metrics-1.8',
    'sdk-trace-base': 'otel-sdk-trace-1.8',
  },
  'the newest SDK, 2 with the API 1.9': {
    api: '@opentelemetry/api',
    'sdk-metrics': '@opentelemetry/sdk-metrics',
    'sdk-trace-base': '@opentelemetry/sdk-trace-base',
    // Those of the oldest are inside its packages.
    core: '@opentelemetry/core',
    resources: '@opentelemetry/resources',
    'sdk-trace': '@opentelemetry/sdk-trace',
    'semantic-conventions': '@opentelemetry/semantic-conventions',
  },
}

const folders: (() => void)[] = []
afterAll(() => {
  for (const remove of folders) remove()
})

/** Runs the application with copies of these packages, so that there is one API only. */
function run(packages: Readonly<Record<string, string>>): Received {
  const { folder, remove } = installPackage('lodash.merge')
  folders.push(remove)
  const scope = join(folder, 'node_modules/@opentelemetry')
  mkdirSync(scope)
  for (const [name, installed] of Object.entries(packages)) {
    const from = resolve('node_modules', installed)
    if (!existsSync(from)) throw new Error(`npm install: ${installed} is missing`)
    cpSync(from, join(scope, name), { recursive: true })
  }
  cpSync('tests/hosts/support/otel-app.ts', join(folder, 'app.ts'))
  const output = execFileSync(process.execPath, ['--no-warnings', 'app.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return JSON.parse(output)
}

describe.each(Object.entries(SDKS))('%s', (_, packages) => {
  const { metrics, events } = run(packages)
  const metricOf = (name: string) => metrics.find((metric) => metric.name === name)
  const readValue = (name: string, attributes: Readonly<Record<string, string>>) =>
    metricOf(name)?.points.find((point) =>
      Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
    )?.value

  test('receives counts, by attributes in a namespace', () => {
    const allowed = { 'tidegate.outcome': 'allowed', 'tidegate.policy': 'api' }
    expect(readValue('tidegate.policy.decisions', allowed)).toBe(2)
    expect(
      readValue('tidegate.checks', { 'tidegate.outcome': 'refused', 'tidegate.source': 'store' }),
    ).toBe(1)
    expect(readValue('tidegate.degraded', { 'tidegate.reason': 'unreachable' })).toBe(1)
    const away = { 'tidegate.store': 'upstash at 127.0.0.1:1' }
    expect(readValue('tidegate.store.errors', { ...away, 'error.type': 'unreachable' })).toBe(1)
    expect(readValue('tidegate.breaker.open', away)).toBe(1)
  })

  test('receives times as histograms in seconds', () => {
    expect(metricOf('tidegate.check.duration')?.unit).toBe('s')
    expect(readValue('tidegate.check.duration', {})).toMatchObject({ count: 4 })
    expect(
      readValue('tidegate.store.operation.duration', { 'tidegate.operation': 'take' }),
    ).toMatchObject({ count: 1 })
  })

  test('receives names and units by the conventions, and no client', () => {
    expect(metrics.length).toBeGreaterThan(10)
    for (const { name, unit, points } of metrics) {
      expect(name).toMatch(/^tidegate(?:\.[a-z_]+)+$/)
      expect(name).not.toMatch(/total|seconds/)
      expect(unit).toMatch(/^(?:s|\{[a-z]+\})$/)
      expect(JSON.stringify(points)).not.toContain('203.0.113.7')
    }
  })

  test('receives an event in the active span for each refused request', () => {
    expect(events).toHaveLength(1)
    const [event] = events
    expect(event?.name).toBe('tidegate.refused')
    expect(event?.attributes).toMatchObject({
      'tidegate.policies': ['api'],
      'tidegate.source': 'store',
      'tidegate.clients': ['203.0.113.7'],
    })
    expect(event?.attributes['tidegate.retry_in']).toBeGreaterThan(0)
  })
})
