import { median } from '../measure/statistics.ts'

export interface Point {
  readonly at: number
  readonly value: number
}

/** So many stretches at most, and so long at least, in seconds: longer than most faults. */
const STRETCHES = 10
const LEAST_SECONDS = 9
const LEAST_STRETCHES = 3

/**
 * By how much a measure grows from the first point to the last; `undefined` if they are less than
 * half a minute apart. Only the lowest value of each of up to ten stretches counts: requests under
 * way raise a measure for a while, and a leak raises its lowest values. The trend is the median of
 * the slopes between all pairs of these values (Theil and Sen's estimate), which a few odd values do
 * not move.
 */
export function growth(points: readonly Point[]): number | undefined {
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
  const count = Math.min(STRETCHES, Math.floor((last - first) / LEAST_SECONDS))
  const stretches = Array.from({ length: count }, (_, index) =>
    points.slice(
      Math.floor((index * points.length) / count),
      Math.floor(((index + 1) * points.length) / count),
    ),
  )
  if (stretches.length < LEAST_STRETCHES) return undefined
  const lowest = stretches.map((stretch) => ({
    at: stretch.reduce((sum, { at }) => sum + at, 0) / stretch.length,
    value: Math.min(...stretch.map(({ value }) => value)),
  }))
  const slopes = lowest.flatMap((a, index) =>
    lowest.slice(index + 1).map((b) => (b.value - a.value) / (b.at - a.at)),
  )
  return median(slopes) * (last - first)
}

/** At most `most` points, each the mean of neighbours. */
export function means(points: readonly Point[], most: number): readonly Point[] {
  const size = Math.ceil(points.length / most)
  if (size <= 1) return points
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const part = points.slice(index * size, (index + 1) * size)
    const mean = (of: (point: Point) => number) =>
      part.reduce((sum, point) => sum + of(point), 0) / part.length
    return { at: mean(({ at }) => at), value: mean(({ value }) => value) }
  })
}
