import type { Clock, Timer } from '../clock.ts'
import type { DecisionHost } from '../limiter/decision-event.ts'
import { startTimeout } from '../timer.ts'
import type { Metric } from './metric.ts'
import type { Observations } from './observe.ts'
import { changes, type MetricsReport } from './report.ts'

/** After this time a report counts as rejected: the host may have ended the work in the background. */
const SEND_TIMEOUT_MS = 30_000
const HANGS = 'a report of the metrics did not end within 30 s; the next one has its counts'

export interface ReportOptions<Env extends object> {
  readonly send: (report: MetricsReport, host: DecisionHost<Env>) => unknown
  /** The time between two reports, in ms. */
  readonly period: number
  readonly clock: Clock
  readonly timer: Timer
  readonly observed: Observations
}

/** The reports of one collector. */
export interface Reports<Env extends object> {
  /** Sends a report if it is time for it. */
  due(host: DecisionHost<Env>): Promise<void> | undefined
  /** Sends a report after the one that is being sent. Rejects if `send` does. */
  flush(host: DecisionHost<Env>): Promise<void>
}

/** Sends what has changed, one report at a time. A report that hangs blocks no later one. */
export function reports<Env extends object>(options: ReportOptions<Env>): Reports<Env> {
  const { send, period, clock, timer, observed } = options
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

  function giveUp(): void {
    failed()
    console.error(`tidegate: ${HANGS}`)
  }

  /** Rejects after 30 s, and calls `expire` at that moment. */
  async function withTimeout(work: unknown, expire = () => {}): Promise<void> {
    let stop = () => {}
    const expiry = new Promise<never>((_, reject) => {
      const end = () => {
        expire()
        reject(new Error(HANGS))
      }
      stop = startTimeout(SEND_TIMEOUT_MS, end, { timer })
    })
    try {
      await Promise.race([work, expiry])
    } finally {
      stop()
    }
  }

  async function report(now: number, host: DecisionHost<Env>): Promise<void> {
    const metrics = observed.read()
    const refusedMost = observed.refusedMost()
    const since = sentAt === undefined ? now : unreportedSince
    sentAt = now
    unreportedSince = since
    const made = { period: now - since, metrics: changes(reported, metrics), refusedMost }
    const expire = () => {
      if (sending === work) failed()
    }
    const work = withTimeout((async () => send(made, host))(), expire)
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

  return {
    due(host) {
      const now = clock()
      // A clock that was set back must not stop the reports.
      if (sentAt === undefined || now < sentAt) {
        sentAt = now
        unreportedSince = now
      }
      // On Workers, no timer of a request runs after the request.
      if (sending && now - sentAt >= SEND_TIMEOUT_MS) giveUp()
      return !sending && now - sentAt >= period ? report(now, host) : undefined
    },
    async flush(host) {
      for (let work = sending; work; work = sending) {
        await withTimeout(work).catch(() => {})
        // Otherwise `report` has noticed the end first.
        if (sending === work) giveUp()
      }
      await report(clock(), host)
    },
  }
}
