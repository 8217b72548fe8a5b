import type { Instrument, Metric, MetricPoint } from './metric.ts'

/** What stands for label values beyond the bounds. */
export const OTHER = '_other'

/** How many combinations of label values one metric has at most. */
const MAX_SERIES = 400

/** The values of one metric, by the values of its labels. Bounded. */
export interface Series {
  /** Adds to a counter. */
  add(amount: number, ...values: readonly string[]): void
  /** Sets a gauge. */
  set(value: number, ...values: readonly string[]): void
  /** Records a value in a histogram. */
  record(value: number, ...values: readonly string[]): void
  read(): Metric
}

interface Point extends MetricPoint {
  value: number
  sum?: number
  buckets?: number[]
}

/**
 * Keeps the values of one metric.
 *
 * @param names of the labels, in the order of their values
 * @param drop called for each value that was counted as `_other`
 * @param bounds of a histogram
 */
export function series(
  instrument: Instrument,
  names: readonly string[],
  drop: () => void = () => {},
  bounds?: readonly number[],
): Series {
  const points = new Map<string, Point>()

  function pointOf(values: readonly string[]): Point {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
    const known = points.get(key)
    if (known) return known
    const isOther = values.every((value) => value === OTHER)
    if (points.size >= MAX_SERIES && !isOther) {
      drop()
      return pointOf(values.map(() => OTHER))
    }
    const labels = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
    const histogram = bounds && { sum: 0, buckets: new Array<number>(bounds.length + 1).fill(0) }
    const point: Point = { labels, value: 0, ...histogram }
    points.set(key, point)
    return point
  }

  return {
    add(amount, ...values) {
      pointOf(values).value += amount
    },
    set(value, ...values) {
      pointOf(values).value = value
    },
    record(value, ...values) {
      const point = pointOf(values)
      const { buckets = [], sum = 0 } = point
      let index = 0
      while (bounds && index < bounds.length && value > (bounds[index] ?? 0)) index++
      buckets[index] = (buckets[index] ?? 0) + 1
      point.sum = sum + value
      point.value++
    },
    read() {
      const copies = Array.from(points.values(), (point) =>
        point.buckets ? { ...point, buckets: [...point.buckets] } : { ...point },
      )
      return { ...instrument, points: copies, ...(bounds && { bounds }) }
    },
  }
}

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
