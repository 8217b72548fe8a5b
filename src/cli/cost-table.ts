import { type Estimate, LIMITERS, type Limiter } from '../cost/estimate.ts'
import { averageOf, type Price } from '../cost/monthly.ts'
import { ASSUMED } from '../cost/prices.ts'
import { wrap } from './report-table.ts'

const WIDTH = 90

export const NAMES: Readonly<Record<Limiter, string>> = {
  tidegate: 'Tidegate',
  upstash: '@upstash/ratelimit',
  getSet: 'GET, then SET',
}

/** Cells of a table: a title, and a column for each limiter. Empty between the two parts. */
export type Row = readonly string[]

/** The estimate as a table for a terminal, and what it rests on. */
export function formatEstimate(estimate: Estimate): string {
  const { requests, clients, limit, window } = estimate.traffic
  const head =
    `${plural(requests, 'request')} a month from ${plural(clients, 'client')}, ` +
    `${count(limit)} per ${duration(window)}`
  return [head, align(rowsOf(estimate)), ...tooSlow(estimate), ...notes(estimate)].join('\n\n')
}

/** The rows of the table, with its head. */
export function rowsOf({ traffic, usages, offers }: Estimate): readonly Row[] {
  const cells = (of: (limiter: Limiter) => string) => LIMITERS.map(of)
  const names = { ...NAMES, ...(traffic.lease ? { tidegate: 'Tidegate, lease' } : {}) }
  const priced = offers.filter(({ prices }) => LIMITERS.some((limiter) => prices[limiter]))
  return [
    ['', ...cells((limiter) => names[limiter])],
    ['commands per request', ...cells((limiter) => perRequest(usages[limiter].commandsPerRequest))],
    ['commands a month', ...cells((limiter) => count(usages[limiter].commands))],
    ['requests refused', ...cells((limiter) => `${(100 * usages[limiter].refused).toFixed(1)} %`)],
    [],
    ...priced.map(({ place, prices, assumed }) => [
      assumed ? `${place} (assumed)` : place,
      ...cells((limiter) => money(prices[limiter])),
    ]),
  ]
}

/** Which places take less than a limiter sends on average, in a paragraph; none if all suffice. */
function tooSlow({ usages, offers }: Estimate): readonly string[] {
  const places = new Map<string, string[]>()
  for (const { place, throughput } of offers) {
    if (throughput === undefined) continue
    const { perSecond, of } = throughput
    const sent = LIMITERS.flatMap((limiter) => {
      const average = averageOf(throughput, usages[limiter])
      return average > perSecond ? [`${NAMES[limiter]} ${count(Math.round(average))}`] : []
    })
    if (sent.length === 0) continue
    const most = `at most ${count(perSecond)} ${of} a second; needed on average: ${sent.join('; ')}`
    places.set(most, [...(places.get(most) ?? []), place])
  }
  if (places.size === 0) return []
  const lines = Array.from(places, ([most, names]) => `${names.join('; ')}: ${most}.`)
  return ['Too slow for this traffic:', ...lines].map((line) => wrap(line, WIDTH).join('\n'))
}

/** What the figures rest on, a paragraph each. */
function notes({ traffic, sample, oneIsolate, anyIsolate, offers }: Estimate): readonly string[] {
  const { visit, isolates, stay } = traffic
  const visits = visit === 1 ? 'one request at a time' : `visits of ${visit} requests`
  const spread =
    isolates === 1
      ? 'one isolate'
      : stay === 0
        ? `each request reaches any of ${count(isolates)} isolates`
        : `a client stays ${duration(stay)} at one of ${count(isolates)} isolates`
  const range =
    `Tidegate needs ${perRequest(oneIsolate.commandsPerRequest)} commands per request if clients ` +
    `never change the isolate, ${perRequest(anyIsolate.commandsPerRequest)} if each request may ` +
    'reach another.'
  const reads = offers.map(({ read }) => read).sort()
  const months = [...new Set([reads[0], reads.at(-1)])].join(' to ')
  const hours = sample.days * 24
  const time = hours < 48 ? plural(Math.ceil(hours), 'hour') : `${Math.round(sample.days)} days`
  return [
    `Assumed: ${visits}; ${spread} (--visit, --isolates, --stay). ${isolates === 1 ? '' : range}`.trim(),
    ...(sample.shortened
      ? ['The window is too long to be simulated whole, so the commands are an upper bound.']
      : []),
    `Simulated: ${plural(sample.clients, 'client')} for ${time}. Prices: US dollars, one region, ` +
      `without tax, read ${months}. Upstash also bills traffic, of which ` +
      `${ASSUMED.bytesPerCall} bytes per call are assumed. Durable Objects include the Workers ` +
      'plan. ElastiCache is one node, without the gateway that edge code needs before it. Of its ' +
      'speed only the network is compared, with the average: requests come at peaks.',
  ].map((text) => wrap(text, WIDTH).join('\n'))
}

const plural = (many: number, word: string) => `${count(many)} ${word}${many === 1 ? '' : 's'}`
const count = (value: number) => value.toLocaleString('en-US')
export const perRequest = (commands: number) => commands.toFixed(commands < 0.1 ? 4 : 2)

const money = (price: Price | null) => {
  if (price === null) return '–'
  const usd = price.usd.toLocaleString('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  })
  return price.plan === undefined ? `$${usd}` : `$${usd} (${price.plan})`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** As it is written in options: `10s`. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

function align(rows: readonly Row[]): string {
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0))
        .join('  '),
    )
    .join('\n')
}
