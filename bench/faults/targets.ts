import type { Row } from '../outcome.ts'
import { isOurs, LIMITERS } from './contestants.ts'
import type { Figures } from './figures.ts'
import { milliseconds, number } from './report/numbers.ts'

/** A promise of Tidegate: a figure that is at most so much on some days. */
interface Target {
  readonly measure: string
  readonly of: (figures: Figures) => number
  readonly atMost: number
  /** How `atMost` is written. */
  readonly target: string
  readonly shown?: (value: number) => string
  /**
   * The days that it is about.
   * @default all
   */
  readonly days?: readonly string[]
}

/** On these days a call may hang until its deadline. */
const HANGING = ['hang', 'flap', 'too-late', 'slow']
const AWAY = ['refused', 'hang']

const TARGETS: readonly Target[] = [
  {
    measure: 'answers with 5xx, or no answer, on any day',
    of: ({ statuses }) => failedOf(statuses),
    atMost: 0,
    target: '0',
  },
  {
    measure: 'the store hangs: the first request waits',
    of: ({ first }) => first,
    atMost: 1100,
    target: '1,000 ms and some tens',
    shown: milliseconds,
    days: ['hang'],
  },
  {
    measure:
      'the store hangs: p95 of the requests sent after the first answer, beyond that of an app without a limiter',
    of: ({ p95Later }) => p95Later,
    atMost: 10,
    target: '≤ 10 ms',
    shown: milliseconds,
    days: ['hang'],
  },
  {
    measure: 'recovery after 10 s, faults in which no call times out',
    of: ({ recovery = Number.POSITIVE_INFINITY, day }) => (HANGING.includes(day) ? 0 : recovery),
    atMost: 1500,
    target: '≤ 1.5 s',
    shown: milliseconds,
  },
  {
    measure: 'recovery after 10 s, faults in which calls may time out',
    of: ({ recovery = Number.POSITIVE_INFINITY }) => recovery,
    atMost: 2500,
    target: '≤ 2.5 s',
    shown: milliseconds,
    days: HANGING,
  },
  {
    measure: 'log lines of an isolate, on any day',
    of: ({ lines }) => lines,
    atMost: 2,
    target: '≤ 2',
  },
  {
    measure:
      'four isolates, a client with 90 of 100 used, refused or hanging: units granted ÷ units that they had not seen used',
    of: ({ sum }) => (sum.unseen === 0 ? Number.NaN : sum.passedAway / sum.unseen),
    atMost: 1,
    target: '≤ 1',
    days: AWAY,
  },
  {
    measure: 'the client of the row above: units granted after the store is back',
    of: ({ sum }) => sum.passedBack,
    atMost: 0,
    target: '0',
    days: AWAY,
  },
]

/** The worst of each limiter, over all runtimes and the days of the target. */
export const targetRows = (figures: readonly Figures[]): readonly Row[] =>
  TARGETS.flatMap(({ measure, of, atMost, target, shown = number, days }) => {
    const concerned = figures.filter(({ day }) => days?.includes(day) ?? true)
    const worstOf = (limiters: readonly string[]) =>
      Math.max(...concerned.filter(({ limiter }) => limiters.includes(limiter)).map(of))
    const ours = worstOf(LIMITERS.filter(isOurs).map(({ name }) => name))
    if (!concerned.some(({ limiter }) => limiter.startsWith('Tidegate'))) return []
    const rivals = LIMITERS.filter((limiter) => !isOurs(limiter)).flatMap(({ name, short }) => {
      const worst = worstOf([name])
      return worst === Number.NEGATIVE_INFINITY || Number.isNaN(worst)
        ? []
        : [`${shown(worst)} ${short}`]
    })
    return [
      {
        measure,
        rivals: rivals.join(' · ') || '–',
        target,
        tidegate: shown(ours),
        met: ours <= atMost,
      },
    ]
  })

/** How many requests got a 5xx, or no answer. */
export const failedOf = (statuses: Figures['statuses']): number =>
  Object.entries(statuses)
    .filter(([status]) => status === '0' || Number(status) >= 500)
    .reduce((sum, [, times]) => sum + times, 0)
