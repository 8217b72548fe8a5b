import type { Metric, MetricPoint } from './metric.ts'
import type { RefusedClient } from './top-clients.ts'

/** What happened in this isolate since the previous report. */
export interface MetricsReport {
  /** How long that was, in ms. */
  readonly period: number
  /**
   * Counts and histograms of this period alone, without those that did not change; and all gauges.
   */
  readonly metrics: readonly Metric[]
  /**
   * The clients that were refused most of late, as `refusedMost` of the collector returns them. Empty
   * without the limiter's option `eventClients`.
   */
  readonly refusedMost: readonly RefusedClient[]
}

/** The changes from one reading of the metrics to a later one. */
export function changes(before: readonly Metric[], after: readonly Metric[]): readonly Metric[] {
  const earlier = new Map(before.map((metric) => [metric.name, metric.points]))
  return after.flatMap((metric) => {
    if (metric.type === 'gauge') return metric.points.length > 0 ? [metric] : []
    // Points are only added, at the end.
    const known = earlier.get(metric.name) ?? []
    const points = metric.points.flatMap((point, index) => {
      const change = subtract(point, known[index])
      return change.value === 0 ? [] : [change]
    })
    return points.length > 0 ? [{ ...metric, points }] : []
  })
}

function subtract(point: MetricPoint, before: MetricPoint | undefined): MetricPoint {
  if (before === undefined) return point
  const { labels, value, sum, buckets } = point
  const changed = { labels, value: value - before.value }
  if (sum === undefined || buckets === undefined) return changed
  return {
    ...changed,
    sum: sum - (before.sum ?? 0),
    buckets: buckets.map((count, index) => count - (before.buckets?.[index] ?? 0)),
  }
}
