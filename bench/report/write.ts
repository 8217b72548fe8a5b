import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Outcome, Row } from '../outcome.ts'
import { barChart, type Panel } from './bar-chart.ts'
import { markdownTable } from './table.ts'

const results = new URL('../results/', import.meta.url)
const readme = new URL('../README.md', import.meta.url)

/** Writes all figures as JSON, their plots, and the table into the README. */
export function write(outcomes: Readonly<Record<string, Outcome>>): void {
  mkdirSync(results, { recursive: true })
  const all = Object.values(outcomes)
  const rows = all.flatMap((outcome) => outcome.rows)
  const written = {
    run: { node: process.version, cores: cpus().length, packages: versions() },
    table: Object.fromEntries(rows.map(({ measure, ...row }) => [measure, row])),
    figures: Object.fromEntries(
      Object.entries(outcomes).map(([name, { figures }]) => [name, figures]),
    ),
  }
  writeFileSync(new URL('results.json', results), `${JSON.stringify(written, null, 2)}\n`)

  const plots = Map.groupBy(
    all.flatMap((outcome) => outcome.plots),
    ({ file }) => file,
  )
  for (const [file, panels] of plots) {
    writeFileSync(new URL(`${file}.svg`, results), barChart(panels))
  }
  writeFileSync(new URL('summary.svg', results), barChart(summary(plots), 2, 960))
  writeTable(rows)
}

/** The packages measured, as this folder's package.json pins them. */
function versions(): unknown {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { readonly dependencies: unknown }).dependencies
}

/** Which bars the root README shows, and what they are called there. */
const SUMMARY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  commands: {
    'Tidegate, strict': 'Tidegate',
    '@upstash/ratelimit 2.2.0': '@upstash/ratelimit',
    'hono-rate-limiter 0.5.4': 'hono-rate-limiter',
    'rate-limiter-flexible 11.4': 'rate-limiter-flexible',
    'the guide’s GET, then SET': 'GET, then SET',
  },
  lease: {
    'Tidegate, lease': 'Tidegate, lease',
    '@upstash/ratelimit 2.2.0': '@upstash/ratelimit',
    'hono-rate-limiter 0.5.4': 'hono-rate-limiter',
    'rate-limiter-flexible 11.4': 'rate-limiter-flexible',
    'the guide’s GET, then SET': 'GET, then SET',
  },
  latency: {
    'Tidegate, lease': 'Tidegate, lease',
    'Tidegate, strict': 'Tidegate, strict',
    '@upstash/ratelimit 2.2.0': '@upstash/ratelimit',
    'hono-rate-limiter 0.5.4': 'hono-rate-limiter',
    'the guide’s GET, then SET': 'GET, then SET',
  },
  bytes: {
    'Tidegate: Hono + memory + upstash, no client needed': 'Tidegate',
    '@upstash/ratelimit 2.2.0 + @upstash/redis': '@upstash/ratelimit',
    'hono-rate-limiter: Hono + RedisStore + @upstash/redis': 'hono-rate-limiter',
    'rate-limiter-flexible 11.4, ioredis excluded': 'rate-limiter-flexible',
  },
}

const TITLES: Readonly<Record<string, string>> = {
  commands: 'Billed commands for 20 requests',
  lease: 'Billed commands per request, hot key',
  latency: 'ms added (p50), store 30 ms away',
  bytes: 'Bundle with its Redis client, gzip bytes',
}

function summary(plots: ReadonlyMap<string, readonly Panel[]>): readonly Panel[] {
  return Object.entries(SUMMARY).map(([file, names]) => {
    const [panel] = plots.get(file) ?? []
    const bars = Object.entries(names).map(([name, label]) => {
      const bar = panel?.bars.find((one) => one.label === name)
      if (bar === undefined) throw new Error(`no bar is called ${name} in ${file}`)
      return { label, value: bar.value }
    })
    return { file, title: TITLES[file] ?? file, note: 'less is better', bars }
  })
}

function writeTable(rows: readonly Row[]): void {
  const text = readFileSync(readme, 'utf8')
  const block = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/
  if (!block.test(text)) throw new Error('README.md has no place for the table')
  writeFileSync(
    readme,
    text.replace(block, (_, from, to) => `${from}${markdownTable(rows)}\n${to}`),
  )
}
