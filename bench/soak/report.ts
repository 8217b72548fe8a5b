import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { rounded, sum } from '../measure/statistics.ts'
import { type LinePanel, lineChart } from '../report/line-chart.ts'
import type { Options } from './options.ts'
import type { Sample } from './sample.ts'
import { type Finding, ISOLATES } from './soak.ts'
import { means } from './trend.ts'
import { isFlat, type Judged } from './verdict.ts'

/** The plot and the file of figures show at most so many points of each line. */
const MOST_POINTS = 240
const MB = 1e6

/** Writes the figures as JSON, and the plot. */
export function write(
  { figures: path, plot, minutes, rate, seed }: Options,
  finding: Finding,
  judged: readonly Judged[],
  failures: readonly string[],
): void {
  const { samples, ...rest } = finding
  const figures = {
    run: { minutes, rate, seed, node: process.version, cores: cpus().length },
    failures,
    judged,
    ...rest,
    samples: samplesByMeasure(samples),
  }
  for (const file of [path, plot]) mkdirSync(dirname(file), { recursive: true })
  writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`)
  writeFileSync(
    plot,
    lineChart(titleOf(finding), { until: minutes, unit: 'minutes' }, panels(samples)),
  )
}

/** A table in Markdown. */
export function table(judged: readonly Judged[]): string {
  const rows = judged.map((measure) => {
    const { name, unit, median, highest, growth, allowed } = measure
    const flat = growth === null ? '–' : isFlat(measure) ? 'yes' : 'NO'
    const cells = [unit ? `${name}, ${unit}` : name, median, highest, growth ?? '–', allowed, flat]
    return cells.join(' | ')
  })
  const head = 'measure | median | highest | growth | allowed growth | flat'
  return [head, '--- | --- | --- | --- | --- | ---', ...rows].map((row) => `| ${row} |`).join('\n')
}

const titleOf = ({ requests, incidents }: Finding) =>
  `A soak of workerd: ${requests.toLocaleString('en')} requests, ${sum(incidents)} faults`

/** The lines of one measure: a name, and its value in a sample. */
type Lines = Readonly<Record<string, (sample: Sample) => number>>

const perIsolate = (of: (sample: Sample, index: number) => number): Lines =>
  Object.fromEntries(
    Array.from({ length: ISOLATES }, (_, index) => [
      `isolate ${index + 1}`,
      (sample: Sample) => of(sample, index),
    ]),
  )

const HEAPS = perIsolate(({ heaps }, index) => (heaps[index] ?? 0) / MB)
const SOCKETS = perIsolate(({ sockets }, index) => sockets[index] ?? 0)
const RSS: Lines = { workerd: ({ rss }) => rss / MB }
const ALL_SOCKETS: Lines = { workerd: ({ workerdSockets }) => workerdSockets }
const GATEWAY: Lines = { 'to Redis': ({ redisSockets }) => redisSockets }
const LINES = perIsolate(({ lines }, index) => lines[index] ?? 0)

const panels = (samples: readonly Sample[]): readonly LinePanel[] => [
  panel('Heap, MB', 'in use after a collection, by the inspector', HEAPS, samples),
  panel('Resident memory of workerd, MB', 'VmRSS in /proc', RSS, samples),
  panel('Connections to the store', 'at the proxies, by isolate', SOCKETS, samples),
  panel('All sockets of workerd', 'those of visitors included', ALL_SOCKETS, samples),
  panel('Lines logged so far', 'by isolate', LINES, samples),
]

const panel = (title: string, note: string, lines: Lines, samples: readonly Sample[]) => ({
  title,
  note,
  lines: Object.entries(lines).map(([label, of]) => ({
    label,
    points: pointsOf(of, samples).map(({ at, value }) => [at / 60, value] as const),
  })),
})

const pointsOf = (of: (sample: Sample) => number, samples: readonly Sample[]) =>
  means(
    samples.map((sample) => ({ at: sample.at, value: of(sample) })),
    MOST_POINTS,
  )

function samplesByMeasure(samples: readonly Sample[]) {
  const measures = {
    heapMB: HEAPS,
    rssMB: RSS,
    sockets: SOCKETS,
    allSockets: ALL_SOCKETS,
    gatewaySockets: GATEWAY,
    lines: LINES,
  }
  const seconds = pointsOf(({ at }) => at, samples).map(({ at }) => rounded(at, 4))
  const values = Object.entries(measures).map(([name, lines]) => [
    name,
    Object.fromEntries(
      Object.entries(lines).map(([label, of]) => [
        label,
        pointsOf(of, samples)
          .map(({ value }) => rounded(value, 4))
          .join(' '),
      ]),
    ),
  ])
  return { seconds: seconds.join(' '), ...Object.fromEntries(values) }
}
