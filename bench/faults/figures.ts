import { median, quantile } from '../measure/statistics.ts'
import type { Runtime } from './contestants.ts'
import { USED } from './load/load.ts'
import type { Visit } from './load/visit.ts'
import { LIMIT } from './quota.ts'
import type { Observed } from './round.ts'

/** What one limiter did on one bad day. Times are in ms. */
export interface Figures {
  readonly day: string
  readonly runtime: Runtime
  readonly limiter: string
  /** The p95 of the app without a limiter, which tells how busy the machine was. */
  readonly floorP95: number
  /** How many requests got each status; 0 stands for no answer. */
  readonly statuses: Readonly<Record<string, number>>
  /** Latency beyond that of an app without a limiter. */
  readonly first: number
  readonly median: number
  /** Of all requests but the first. */
  readonly p95: number
  /**
   * Of the requests that were sent after the first one had been answered, beyond the p95 of the app
   * without a limiter.
   */
  readonly p95Later: number
  readonly last: number
  /** Units granted in the window ÷ limit: by the first isolate, and by four. */
  readonly fresh: Pair
  /** The same for the client that had used 90 of 100. */
  readonly used: Pair
  /**
   * From the store's return to the first request from which on the store decides all, in the slowest
   * isolate; nothing if that did not happen.
   */
  readonly recovery: number | undefined
  /** Of the isolate that logged most. */
  readonly lines: number
  /** Of the client that had used 90 and visits four isolates. */
  readonly sum: Sum
}

interface Pair {
  readonly one: number
  readonly four: number
}

interface Sum {
  /** What the isolates together had not seen used, as they said themselves. */
  readonly unseen: number
  readonly passedAway: number
  readonly passedBack: number
}

/** Compares with the same requests to an app without a limiter. */
export function figuresOf(
  { contestant, many, fresh, used, unseen, lines, awayAt, backAt }: Observed,
  bare: Observed,
  day: string,
  runtime: Runtime,
): Figures {
  const floor = median(timesOf(bare))
  const floorP95 = quantile(timesOf(bare), 0.95)
  const added = timesOf({ many, backAt }).map((ms) => ms - floor)
  const [first = Number.NaN, ...others] = added
  const answeredAt = awayAt + first + floor
  const later = steady({ many, backAt }).filter(({ sentAt }) => sentAt > answeredAt)
  const all = [...many.flat(), ...fresh.one, ...fresh.all, ...used.one, ...used.all]
  const passed = used.all.filter(({ status }) => status === 200)
  return {
    day,
    runtime,
    limiter: contestant.name,
    floorP95,
    statuses: count(all.map(({ status }) => status)),
    first,
    median: median(added),
    p95: quantile(others, 0.95),
    p95Later:
      quantile(
        later.map(({ ms }) => ms),
        0.95,
      ) - floorP95,
    last: added.at(-1) ?? Number.NaN,
    fresh: { one: admitted(fresh.one), four: admitted(fresh.all) },
    used: { one: admitted(used.one, USED), four: admitted(used.all, USED) },
    recovery: slowest(many.map((visits) => recoveryOf(visits, backAt))),
    lines: Math.max(...lines.map(({ length }) => length)),
    sum: {
      unseen: unseen.reduce((sum, units) => sum + units, 0),
      passedAway: passed.filter(({ sentAt }) => sentAt < backAt).length,
      passedBack: passed.filter(({ sentAt }) => sentAt >= backAt).length,
    },
  }
}

/** The requests of many clients to the first isolate while the store was away. */
const steady = ({ many, backAt }: Pick<Observed, 'many' | 'backAt'>): readonly Visit[] =>
  (many[0] ?? []).filter(({ sentAt }) => sentAt < backAt)

/** If the app without a limiter is slower, the machine was busy. */
const BUSY_P95_MS = 25

export const isBusy = ({ floorP95 }: Figures): boolean => floorP95 > BUSY_P95_MS

const timesOf = (observed: Pick<Observed, 'many' | 'backAt'>): readonly number[] =>
  steady(observed).map(({ ms }) => ms)

const admitted = (visits: readonly Visit[], before = 0): number =>
  (before + visits.filter(({ status }) => status === 200).length) / LIMIT

function count(statuses: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

function recoveryOf(visits: readonly Visit[], backAt: number): number | undefined {
  const after = visits.filter(({ sentAt }) => sentAt >= backAt)
  const last = after.findLastIndex(({ isByStore, status }) => !isByStore || status !== 200)
  const recovered = after[last + 1]
  return recovered && recovered.sentAt - backAt
}

const slowest = (times: readonly (number | undefined)[]): number | undefined =>
  times.reduce(
    (most, ms) => (most === undefined || ms === undefined ? undefined : Math.max(most, ms)),
    0,
  )
