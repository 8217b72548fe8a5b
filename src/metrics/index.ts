/** Metrics of limiters, at no command of the store: `tidegate/metrics`. */
export { type Collector, type CollectorOptions, collector } from './collector.ts'
export type { Metric, MetricPoint } from './metric.ts'
export type { PrometheusFormat } from './prometheus.ts'
export type { MetricsReport } from './report.ts'
export type { ScrapeOptions } from './scrape.ts'
export type { RefusedClient } from './top-clients.ts'
