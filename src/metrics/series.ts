import type { Instrument, Metric, MetricPoint } from './metric.ts'

/** What stands for label values beyond the bounds. */
export const OTHER = '_other'

/** How many combinations of label values one metric has at most. */
const MAX_SERIES = 400

/** The value for one combination of labels, to be kept by code that changes it often. */
export interface Cell {
  /** Of a counter or a gauge. */
  value: number
  /** Records a value in a histogram. */
  record(value: number): void
}

/** The values of one metric, by the values of its labels. Bounded. */
export interface Series {
  /** @param values of the labels, in the order of their names */
  at(...values: readonly string[]): Cell
  read(): Metric
}

interface Point extends Cell {
  readonly labels: Readonly<Record<string, string>>
  sum: number
  readonly buckets: number[] | undefined
}

/**
 * Keeps the values of one metric.
 *
 * @param names of the labels
 * @param drop called for each combination that is counted as `_other`
 * @param bounds of a histogram
 */
export function series(
  instrument: Instrument,
  names: readonly string[],
  drop: () => void = () => {},
  bounds?: readonly number[],
): Series {
  const points = new Map<string, Point>()

  function at(...values: readonly string[]): Point {
    const key = values.join('\n')
    const known = points.get(key)
    if (known) return known
    const isOther = values.every((value) => value === OTHER)
    if (points.size >= MAX_SERIES && !isOther) {
      drop()
      return at(...values.map(() => OTHER))
    }
    const labels = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
    const point = newPoint(labels, bounds)
    points.set(key, point)
    return point
  }

  return {
    at,
    read: () => ({
      ...instrument,
      points: Array.from(points.values(), copyOf),
      ...(bounds && { bounds }),
    }),
  }
}

function newPoint(labels: Point['labels'], bounds: readonly number[] | undefined): Point {
  const buckets = bounds && new Array<number>(bounds.length + 1).fill(0)
  const point: Point = {
    labels,
    value: 0,
    sum: 0,
    buckets,
    record(value) {
      point.value++
      point.sum += value
      if (bounds === undefined || buckets === undefined) return
      let index = 0
      while (index < bounds.length && value > (bounds[index] ?? 0)) index++
      buckets[index] = (buckets[index] ?? 0) + 1
    },
  }
  return point
}

const copyOf = ({ labels, value, sum, buckets }: Point): MetricPoint =>
  buckets ? { labels, value, sum, buckets: [...buckets] } : { labels, value }

/** Returns a name as it is given, or `_other` after `most` different names. */
export function boundedNames(most: number, drop: () => void): (name: string) => string {
  const names = new Set<string>()
  return (name) => {
    if (names.has(name)) return name
    if (names.size >= most) {
      drop()
      return OTHER
    }
    names.add(name)
    return name
  }
}
