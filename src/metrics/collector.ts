import { assertBoolean, assertFunction, assertKeys } from '../checks.ts'
import { type Clock, systemClock, systemTimer, type Timer } from '../clock.ts'
import { outageLog } from '../isolate/outage-log.ts'
import type { DecisionEvent, DecisionHost } from '../limiter/decision-event.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import type { Metric } from './metric.ts'
import { observations } from './observe.ts'
import { type PrometheusFormat, writePrometheus } from './prometheus.ts'
import type { MetricsReport } from './report.ts'
import { reports } from './reports.ts'
import { type ScrapeOptions, scrape } from './scrape.ts'
import type { RefusedClient } from './top-clients.ts'

export interface CollectorOptions<Env extends object = object> {
  /**
   * Sends what has changed to a service, with the bindings of the host. Called while a request is
   * checked, in the background (`waitUntil`), so at most once per `every`, and not before the
   * previous report has ended. What a rejected report contains is part of the next one. A report
   * that takes 30 s counts as rejected. A rejected report is logged.
   * @default nothing is sent
   */
  readonly send?: ((report: MetricsReport, host: DecisionHost<Env>) => unknown) | undefined
  /**
   * How often `send` is called at most.
   * @default '10s'
   */
  readonly every?: Duration | undefined
  /**
   * Whether outages of the store are logged, as a limiter without `onStoreEvent` logs them.
   * @default true
   */
  readonly log?: boolean | undefined
  /**
   * The clock of `every` and of `refusedMost`.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
  /**
   * Ends the wait for a report that takes 30 s.
   * @default the runtime's timer
   */
  readonly timer?: Timer | undefined
}

/** Counts what happens in this isolate. Give its two functions to as many limiters as you like. */
export interface Collector<Env extends object = object> {
  /** For the option `onDecision` of limiters. */
  readonly onDecision: (event: DecisionEvent, host?: DecisionHost<Env>) => unknown
  /** For the option `onStoreEvent` of limiters. */
  readonly onStoreEvent: (event: StoreEvent) => unknown
  /** Returns all metrics since the isolate began. */
  read(): readonly Metric[]
  /**
   * Returns the clients that were refused most of late, at most 100. Every 10 minutes all counts are
   * halved. Empty without the limiter's option `eventClients`.
   */
  refusedMost(): readonly RefusedClient[]
  /**
   * Returns all metrics for Prometheus.
   * @param format 'text' by default
   */
  prometheus(format?: PrometheusFormat): string
  /**
   * Responds to a scraper in the format that it accepts.
   * @example
   * app.get('/metrics', (c) => metrics.respond(c.req.raw, { token: c.env.METRICS_TOKEN }))
   */
  respond(request: Request, options?: ScrapeOptions): Response
  /**
   * Calls `send` at once, for instance before a server stops. Waits before for a report that is being
   * sent, 30 s at most. Rejects if `send` rejects or takes 30 s.
   */
  flush(host?: DecisionHost<Env>): Promise<void>
}

/**
 * Makes a collector of metrics. What it holds is bounded whatever policies, stores and clients come.
 * @example
 * const metrics = collector()
 * const { onDecision, onStoreEvent } = metrics
 * const limiter = createLimiter({ limit: 100, window: '1m', store, onDecision, onStoreEvent })
 */
export function collector<Env extends object = object>(
  options: CollectorOptions<Env> = {},
): Collector<Env> {
  assertKeys('', options, ['send', 'every', 'log', 'clock', 'timer'])
  const { send, every = '10s', log = true, clock = systemClock, timer = systemTimer } = options
  if (send !== undefined) assertFunction('send', send)
  assertBoolean('log', log)
  assertFunction('clock', clock)
  assertFunction('timer', timer)
  const period = parseTimeout('every', every)
  warnOfBareNumber('every', every, 50)
  const observed = observations(clock)
  const outages = outageLog(clock)
  const sent = send && reports({ send, period, clock, timer, observed })

  return {
    onDecision(event, host = {}) {
      observed.decided(event)
      return sent?.due(host)
    },
    onStoreEvent(event) {
      observed.storeChanged(event)
      if (log) outages.notify(event)
    },
    read: observed.read,
    refusedMost: observed.refusedMost,
    prometheus: (format = 'text') => writePrometheus(observed.read(), format),
    respond: (request, scraped = {}) => scrape(request, observed.read, scraped),
    flush: async (host = {}) => sent?.flush(host),
  }
}
