import type { Metric, MetricPoint } from './metric.ts'

/** Prometheus' own text format, or OpenMetrics, which ends with a line of its own. */
export type PrometheusFormat = 'text' | 'openmetrics'

export const CONTENT_TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const

/** Units of OpenTelemetry that are part of a name in Prometheus. */
const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

/**
 * Writes metrics for Prometheus.
 * https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function writePrometheus(metrics: readonly Metric[], format: PrometheusFormat): string {
  const isOpen = format === 'openmetrics'
  const lines: string[] = []
  for (const metric of metrics) {
    const { type, unit, help, points } = metric
    const name = prometheusName(metric)
    const sample = type === 'counter' ? `${name}_total` : name
    const family = isOpen ? name : sample
    if (points.length === 0) continue
    lines.push(`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`)
    if (isOpen && UNITS[unit]) lines.push(`# UNIT ${family} ${UNITS[unit].slice(1)}`)
    for (const point of points) {
      if (type === 'histogram') lines.push(...histogramLines(name, point, metric.bounds ?? []))
      else lines.push(`${sample}${labelsOf(point.labels)} ${point.value}`)
    }
  }
  if (isOpen) lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

const prometheusName = ({ name, unit }: Metric) =>
  `tidegate_${name.replaceAll('.', '_')}${UNITS[unit] ?? ''}`

function histogramLines(
  name: string,
  { labels, value, sum = 0, buckets = [] }: MetricPoint,
  bounds: readonly number[],
): string[] {
  let count = 0
  const lines = buckets.map((inBucket, index) => {
    count += inBucket
    const bound = bounds[index]
    const le = bound === undefined ? '+Inf' : `${bound}${Number.isInteger(bound) ? '.0' : ''}`
    return `${name}_bucket${labelsOf({ ...labels, le })} ${count}`
  })
  return [
    ...lines,
    `${name}_sum${labelsOf(labels)} ${sum}`,
    `${name}_count${labelsOf(labels)} ${value}`,
  ]
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

const escapeLabel = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/**
 * The format that a scraper accepts: OpenMetrics if it asks for it and does not prefer text.
 * Prometheus 2.42 rejects OpenMetrics without `# EOF`, and `promtool check metrics` OpenMetrics.
 */
export function acceptedFormat(accept: string): PrometheusFormat {
  const openMetrics = weightOf(accept, /application\/openmetrics-text/)
  return openMetrics > 0 && openMetrics >= weightOf(accept, /text\/plain/) ? 'openmetrics' : 'text'
}

/** The largest weight of a type in `Accept` (RFC 9110 §12.5.1); 0 if it is not listed. */
function weightOf(accept: string, type: RegExp): number {
  const weights = accept
    .toLowerCase()
    .split(',')
    .filter((one) => type.test(one))
    .map((one) => Number(/;\s*q=([\d.]+)/.exec(one)?.[1] ?? 1))
  return Math.max(0, ...weights)
}
