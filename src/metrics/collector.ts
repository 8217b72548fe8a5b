import { assertBoolean, assertFunction, assertKeys } from '../checks.ts'
import { type Clock, systemClock } from '../clock.ts'
import { outageLog } from '../isolate/outage-log.ts'
import type { DecisionEvent, DecisionHost } from '../limiter/decision-event.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import type { Metric } from './metric.ts'
import { observations } from './observe.ts'
import { type PrometheusFormat, writePrometheus } from './prometheus.ts'
import { changes, type MetricsReport } from './report.ts'
import { type ScrapeOptions, scrape } from './scrape.ts'
import type { RefusedClient } from './top-clients.ts'

export interface CollectorOptions<Env extends object = object> {
  /**
   * Sends what has changed to a service, with the bindings of the host. Called while a request is
   * checked, in the background (`waitUntil`), so at most once per `every`, and not before the
   * previous report has ended. What a rejected report contains is part of the next one. A report
   * that takes 30 s counts as rejected.
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
   * The clock of `every`.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
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
   * Returns the clients that were refused most, at most 100. Empty without the limiter's option
   * `eventClients`.
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
   * Calls `send` at once, for instance before a server stops. Waits for a report that is being sent.
   * Rejects if `send` does.
   */
  flush(host?: DecisionHost<Env>): Promise<void>
}

/** After this time a report counts as rejected: the host may have ended the work in the background. */
const SEND_TIMEOUT_MS = 30_000

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
  assertKeys('', options, ['send', 'every', 'log', 'clock'])
  const { send, every = '10s', log = true, clock = systemClock } = options
  if (send !== undefined) assertFunction('send', send)
  assertBoolean('log', log)
  assertFunction('clock', clock)
  const period = parseTimeout('every', every)
  warnOfBareNumber('every', every, 50)
  const observed = observations()
  const outages = outageLog(clock)
  /** When `send` was called, or the first event came. */
  let sentAt: number | undefined
  /** Since when nothing has been reported. */
  let unreportedSince = 0
  /** What the reports that were sent so far contained. */
  let reported: readonly Metric[] = []
  let sending: Promise<unknown> | undefined

  function failed(): void {
    sending = undefined
    observed.sendFailed()
  }

  async function report(now: number, host: DecisionHost<Env>): Promise<void> {
    if (send === undefined) return
    const metrics = observed.read()
    const refusedMost = observed.refusedMost()
    const since = sentAt === undefined ? now : unreportedSince
    sentAt = now
    unreportedSince = since
    const made = { period: now - since, metrics: changes(reported, metrics), refusedMost }
    const work = (async () => send(made, host))()
    sending = work
    try {
      await work
    } catch (error) {
      if (sending === work) failed()
      throw error
    }
    // A report that has taken too long is part of the next one already.
    if (sending !== work) return
    sending = undefined
    reported = metrics
    unreportedSince = now
  }

  async function flush(host: DecisionHost<Env> = {}): Promise<void> {
    while (sending) await sending.catch(() => {})
    await report(clock(), host)
  }

  return {
    onDecision(event, host = {}) {
      observed.decided(event)
      if (send === undefined) return undefined
      const now = clock()
      // A clock that was set back must not stop the reports.
      if (sentAt === undefined || now < sentAt) {
        sentAt = now
        unreportedSince = now
      }
      if (sending && now - sentAt >= SEND_TIMEOUT_MS) failed()
      return !sending && now - sentAt >= period ? report(now, host) : undefined
    },
    onStoreEvent(event) {
      observed.storeChanged(event)
      if (log) outages.notify(event)
    },
    read: observed.read,
    refusedMost: observed.refusedMost,
    prometheus: (format = 'text') => writePrometheus(observed.read(), format),
    respond: (request, scraped = {}) => scrape(request, observed.read, scraped),
    flush,
  }
}
