import { NAMES, perRequest, rowsOf } from '../../src/cli/cost-table.ts'
import { barChart, type Panel } from '../report/bar-chart.ts'
import { type Estimated, estimatedOf, type Measured } from './measure-all.ts'

/** Puts the generated parts into the text of docs/costs.md, between their marks. */
export function fillIn(
  page: string,
  cases: readonly Estimated[],
  measured: readonly Measured[],
): string {
  const parts = { cases: sections(cases), comparison: comparisonTable(cases, measured) }
  return Object.entries(parts).reduce((text, [name, part]) => {
    const block = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*(<!-- end of ${name} -->)`)
    if (!block.test(text)) throw new Error(`docs/costs.md has no place for ${name}`)
    return text.replace(block, (_, from, to) => `${from}\n${part.trimEnd()}\n\n${to}`)
  }, page)
}

/** A section for each case. */
const sections = (cases: readonly Estimated[]): string =>
  cases
    .map(({ title, text, flags, estimate }) => {
      const [head = [], ...rows] = rowsOf(estimate).filter((row) => row.length > 0)
      const table = [head, ['---', '---:', '---:', '---:'], ...rows]
      return `### ${title}\n\n${text}\n\n\`\`\`sh\nnpx tidegate cost ${flags}\n\`\`\`\n\n${markdown(table)}\n`
    })
    .join('\n')

/** Estimated and measured commands as a table. */
function comparisonTable(cases: readonly Estimated[], measured: readonly Measured[]): string {
  const rows = measured.map((one) => {
    const estimated = estimatedOf(cases, one)
    return [
      cases.find(({ name }) => name === one.name)?.title ?? one.name,
      NAMES[one.limiter],
      perRequest(estimated),
      perRequest(one.measured),
      `${(100 * (estimated / one.measured - 1)).toFixed(1)} %`,
    ]
  })
  const head = ['case', 'limiter', 'estimated', 'measured', 'difference']
  return markdown([head, ['---', '---', '---:', '---:', '---:'], ...rows])
}

const markdown = (rows: readonly (readonly string[])[]) =>
  rows.map((row) => `| ${row.join(' | ')} |`).join('\n')

/** The bars of docs/costs.svg: where the same traffic is counted, by what, and for how much. */
const BARS = [
  ['Tidegate, Upstash', 'Upstash, pay as you go', 'tidegate'],
  ['@upstash/ratelimit, Upstash', 'Upstash, pay as you go', 'upstash'],
  ['GET, then SET, Upstash', 'Upstash, pay as you go', 'getSet'],
  ['Tidegate, Upstash, fixed plan', 'Upstash, fixed plan', 'tidegate'],
  ['Tidegate, Durable Objects', 'Durable Objects', 'tidegate'],
  ['Tidegate, ElastiCache t4g.micro', 'ElastiCache cache.t4g.micro', 'tidegate'],
] as const

/** The plot: a panel for each case. Throws if a price is missing. */
export function plot(cases: readonly Estimated[]): string {
  const panels = cases.map(({ title, flags, estimate }): Panel => {
    const bars = BARS.map(([label, place, limiter]) => {
      const price = estimate.offers.find((offer) => offer.place === place)?.prices[limiter]
      if (!price) throw new Error(`${title}: no price of ${label}`)
      return { label, value: Math.round(price.usd) }
    })
    return { title: `${title}: US dollars a month`, note: flags, bars }
  })
  return barChart(panels, 1, 720)
}
