import { readFileSync, writeFileSync } from 'node:fs'
import { barChart } from '../../report/bar-chart.ts'
import { markdownTable } from '../../report/table.ts'
import type { BadDay } from '../faults.ts'
import type { Figures } from '../figures.ts'
import { targetRows } from '../targets.ts'
import { inMs, number } from './numbers.ts'
import { panels } from './plot.ts'

const COLUMNS = [
  'limiter',
  'answers',
  'first · median · last, ms',
  'p95, ms',
  'new client, 1 · 4',
  '90 used, 1 · 4',
  'recovery, ms',
  'lines',
]
const RUNTIMES = { node: 'Node', workerd: 'workerd' }

/** The tables of `docs/reliability.md`. */
export function tables(days: readonly BadDay[], figures: readonly Figures[]): string {
  const parts = days.map(({ name, title }) => {
    const rows = figures.filter(({ day }) => day === name).map(cells)
    const lines = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map(
      (row) => `| ${row.join(' | ')} |`,
    )
    return [`### ${title}`, lines.join('\n')].join('\n\n')
  })
  return parts.join('\n\n')
}

function cells(figures: Figures): readonly string[] {
  const { limiter, runtime, statuses, first, median, last, p95, fresh, used, recovery } = figures
  return [
    `${limiter}, ${RUNTIMES[runtime]}`,
    Object.entries(statuses)
      .sort(([a], [b]) => (Number(a) || 999) - (Number(b) || 999))
      .map(([status, times]) => `${number(times)} × ${status === '0' ? 'none' : status}`)
      .join(', '),
    [first, median, last].map(inMs).join(' · '),
    inMs(p95),
    `${number(fresh.one)} · ${number(fresh.four)}`,
    `${number(used.one)} · ${number(used.four)}`,
    recovery === undefined ? 'more than 5,000' : inMs(recovery),
    number(figures.lines),
  ]
}

const results = new URL('../../results/faults.json', import.meta.url)
const docs = new URL('../../../docs/', import.meta.url)

/** The figures of the last run. */
export const readFigures = (): readonly Figures[] => JSON.parse(readFileSync(results, 'utf8'))

/** Writes all figures as JSON, the plot of some, and the tables. */
export function write(days: readonly BadDay[], figures: readonly Figures[]): void {
  writeFileSync(results, `${JSON.stringify(figures, null, 2)}\n`)
  writeFileSync(new URL('reliability.svg', docs), barChart(panels(figures), 2, 960))
  const file = new URL('reliability.md', docs)
  let text = readFileSync(file, 'utf8')
  const blocks = { targets: markdownTable(targetRows(figures)), tables: tables(days, figures) }
  for (const [name, block] of Object.entries(blocks)) {
    const place = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*(<!-- end of ${name} -->)`)
    if (!place.test(text)) throw new Error(`docs/reliability.md has no place for ${name}`)
    text = text.replace(place, (_, from, to) => `${from}\n${block}\n\n${to}`)
  }
  writeFileSync(file, text)
}
