import type { Metric } from '../metrics/metric.ts'
import { acceptedFormat, CONTENT_TYPES, writePrometheus } from '../metrics/prometheus.ts'
import { series } from '../metrics/series.ts'
import type { Backend } from './backend.ts'
import type { GatewayRequest, GatewayResponse } from './http.ts'
import { redisMetrics } from './redis-metrics.ts'

/** Upper bounds of the histogram's buckets, in seconds. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** What the gateway counts of itself, and reads from its Redis when it is scraped. */
export interface GatewayMetrics {
  /** @param ms how long the response took */
  responded(route: string, status: number, ms: number): void
  /** Responds to a scraper whose token is valid. */
  respond(request: GatewayRequest): Promise<GatewayResponse>
}

export function gatewayMetrics(redis: Backend): GatewayMetrics {
  const requests = series(
    {
      name: 'gateway.requests',
      type: 'counter',
      unit: '{request}',
      help: 'Requests to the gateway. Paths that hold a command are /….',
    },
    ['route', 'status'],
  )
  const duration = series(
    {
      name: 'gateway.request.duration',
      type: 'histogram',
      unit: 's',
      help: 'How long the gateway took to respond.',
    },
    ['route'],
    undefined,
    SECONDS,
  )
  return {
    responded(route, status, ms) {
      requests.at(route, `${status}`).value++
      duration.at(route).record(ms / 1000)
    },
    async respond({ headers }) {
      const metrics: Metric[] = [requests.read(), duration.read(), ...(await redisMetrics(redis))]
      const format = acceptedFormat(`${headers.accept ?? ''}`)
      return {
        status: 200,
        headers: { 'content-type': CONTENT_TYPES[format], 'cache-control': 'no-store' },
        body: writePrometheus(metrics, format),
      }
    },
  }
}
