import { median, rounded } from '../measure/statistics.ts'
import type { Sample } from './sample.ts'
import { growth, type Point } from './trend.ts'

/** A measure that must not grow over the second half of a run. */
export interface Measure {
  readonly name: string
  readonly unit: string
  readonly of: (sample: Sample) => number
  /** The growth that is allowed: this share of the median, and at least this much. */
  readonly share: number
  readonly least: number
}

/** A measure, judged. */
export interface Judged {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly highest: number
  /** Over the second half, by the trend of its lowest values; `null` in a run too short for that. */
  readonly growth: number | null
  readonly allowed: number
}

export interface Events {
  readonly statuses: Readonly<Record<string, number>>
  /** Responses of 500 and above, or none at all. */
  readonly failures: readonly string[]
  /** Checks that took longer than the deadline allows, though their isolate was not that busy. */
  readonly lateChecks: readonly string[]
  readonly rejections: readonly string[]
  /** At the quiet end. */
  readonly keysWithoutExpiry: readonly string[]
  /** Connections to the proxies when all had been idle for longer than workerd keeps them. */
  readonly socketsAtEnd: number
}

const MB = 1e6

export const measuresOf = (isolates: number): readonly Measure[] => [
  ...Array.from({ length: isolates }, (_, index) => ({
    name: `heap of isolate ${index + 1}`,
    unit: 'MB',
    of: ({ heaps }: Sample) => (heaps[index] ?? Number.NaN) / MB,
    share: 0.05,
    least: 1,
  })),
  {
    name: 'resident memory of workerd',
    unit: 'MB',
    of: ({ rss }) => rss / MB,
    share: 0.1,
    least: 32,
  },
  ...Array.from({ length: isolates }, (_, index) => ({
    name: `connections of isolate ${index + 1}`,
    unit: '',
    of: ({ sockets }: Sample) => sockets[index] ?? Number.NaN,
    // Requests under way hold most of them. What is left open shows at the end, too.
    share: 0.5,
    least: 20,
  })),
  {
    name: 'sockets of workerd',
    unit: '',
    of: ({ workerdSockets }) => workerdSockets,
    share: 0.5,
    least: 50,
  },
  {
    name: 'connections of the gateway to Redis',
    unit: '',
    of: ({ redisSockets }) => redisSockets,
    share: 0.25,
    least: 2,
  },
]

export function judge(measures: readonly Measure[], samples: readonly Sample[]): readonly Judged[] {
  const half = samples.slice(Math.floor(samples.length / 2))
  return measures.map(({ name, unit, of, share, least }) => {
    const points: readonly Point[] = half.map((sample) => ({ at: sample.at, value: of(sample) }))
    const values = points.map(({ value }) => value)
    const middle = median(values)
    const allowed = Math.max(share * middle, least)
    const grown = growth(points)
    return {
      name,
      unit,
      median: rounded(middle),
      highest: rounded(Math.max(...samples.map(of))),
      growth: grown === undefined ? null : rounded(grown),
      allowed: rounded(allowed),
    }
  })
}

/** Whether a measure does not grow, as far as the run can tell. */
export const isFlat = ({ growth: grown, allowed }: Judged): boolean =>
  grown === null || grown <= allowed

/** Why a soak has failed; empty if it passed. */
export function failuresOf(judged: readonly Judged[], events: Events): readonly string[] {
  const failures = judged
    .filter((measure) => !isFlat(measure))
    .map(
      ({ name, unit, growth: grown, allowed, median: middle }) =>
        `${name} grows: by ${grown} ${unit} over the second half by the trend of its lowest values, ` +
        `more than ${allowed} (median ${middle})`,
    )
  const {
    failures: bad,
    lateChecks: late,
    rejections,
    keysWithoutExpiry: keys,
    socketsAtEnd,
  } = events
  const failed = Object.entries(events.statuses)
    .filter(([status]) => !(Number(status) < 500))
    .map(([status, count]) => `${status}: ${count}`)
  if (failed.length > 0) failures.push(`responses that failed: ${failed.join(', ')}; ${bad[0]}`)
  if (late.length > 0) failures.push(`checks beyond the deadline: ${late.length}; ${late[0]}`)
  if (rejections.length > 0) {
    failures.push(`unhandled rejections: ${rejections.length}; ${rejections[0]}`)
  }
  if (keys.length > 0) failures.push(`keys without expiry: ${keys.length}, such as ${keys[0]}`)
  if (socketsAtEnd > 0) {
    failures.push(`connections that stay open without requests: ${socketsAtEnd}`)
  }
  return failures
}
