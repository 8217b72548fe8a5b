import type { Panel } from '../../report/bar-chart.ts'
import { LIMITERS } from '../contestants.ts'
import type { Figures } from '../figures.ts'
import { failedOf } from '../targets.ts'

interface Choice {
  readonly title: string
  readonly day: string
  readonly of: (figures: Figures) => number
  readonly note: string
}

const RECOVERY_SEEN_MS = 5000

/** What the plot shows, of Node, where all limiters run. */
const CHOICES: readonly Choice[] = [
  {
    title: 'The store hangs: ms added to the median request',
    day: 'hang',
    of: ({ median }) => Math.max(0, Math.round(median)),
    note: 'less is better',
  },
  {
    title: 'Connections refused: % of answers with 5xx',
    day: 'refused',
    of: ({ statuses }) => {
      const all = Object.values(statuses).reduce((sum, times) => sum + times, 0)
      return Math.round((100 * failedOf(statuses)) / all)
    },
    note: 'less is better',
  },
  {
    title: 'The store hangs, four isolates: granted ÷ limit',
    day: 'hang',
    of: ({ used }) => used.four,
    note: 'a client that had used 90 of 100; 1 is exact, less is too strict',
  },
  {
    title: 'The store is back after 10 s of hanging: ms to recover',
    day: 'hang',
    of: ({ recovery = RECOVERY_SEEN_MS }) => Math.round(recovery),
    note: 'less is better',
  },
]

export const panels = (figures: readonly Figures[]): readonly Panel[] =>
  CHOICES.map(({ title, day, of, note }) => ({
    title,
    note,
    bars: LIMITERS.flatMap(({ name, short }) => {
      const found = figures.find(
        ({ limiter, runtime, ...its }) => limiter === name && runtime === 'node' && its.day === day,
      )
      return found ? [{ label: short, value: of(found) }] : []
    }),
  }))
