import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Outcome, Row } from '../outcome.ts'
import { barChart } from './bar-chart.ts'
import { summary } from './summary.ts'
import { markdownTable } from './table.ts'

const results = new URL('../results/', import.meta.url)
const readme = new URL('../README.md', import.meta.url)

/** Writes all figures as JSON, the plot of some, and the table into the README. */
export function write(outcomes: Readonly<Record<string, Outcome>>): void {
  mkdirSync(results, { recursive: true })
  const rows = Object.values(outcomes).flatMap((outcome) => outcome.rows)
  const written = {
    run: { node: process.version, cores: cpus().length, packages: versions() },
    table: Object.fromEntries(rows.map(({ measure, ...row }) => [measure, row])),
    figures: Object.fromEntries(
      Object.entries(outcomes).map(([name, { figures }]) => [name, figures]),
    ),
  }
  writeFileSync(new URL('results.json', results), `${JSON.stringify(written, null, 2)}\n`)

  writeFileSync(new URL('summary.svg', results), barChart(summary(outcomes), 2, 960))
  writeTable(rows)
}

/** The packages measured, as this folder's package.json pins them. */
function versions(): unknown {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { readonly dependencies: unknown }).dependencies
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
