/**
 * Runs every limiter through every bad day, on Node and in workerd, and writes the tables and the
 * plot of `docs/reliability.md`; or only a part, and then writes nothing.
 *
 *     npm run faults
 *     npm run faults -- --only hang,refused --on workerd
 *     npm run faults -- --again     # those rounds of the last run in which the machine was busy
 */
import { parseArgs } from 'node:util'
import { startBackend } from '../backend/backend.ts'
import { consoleTable } from '../report/table.ts'
import { campaign } from './campaign.ts'
import { type Contestant, LIMITERS, type Runtime } from './contestants.ts'
import { BAD_DAYS } from './faults.ts'
import { type Figures, isBusy } from './figures.ts'
import { readFigures, tables, write } from './report/reliability.ts'
import { targetRows } from './targets.ts'

const WARM_UP_MS = 6_000
const AWAY_MS = 10_000
const BACK_MS = 5_000

/** Limiters that take part in the same rounds: more of them would keep two cores busy. */
const GROUPS: readonly (readonly [Runtime, Contestant['face']])[] = [
  ['workerd', 'http'],
  ['node', 'http'],
  ['node', 'tcp'],
]

const { values } = parseArgs({
  options: {
    again: { type: 'boolean' },
    only: { type: 'string' },
    on: { type: 'string' },
    over: { type: 'string' },
  },
})
const only = values.only?.split(',')
const unknown = only?.find((name) => !BAD_DAYS.some((day) => day.name === name))
if (unknown !== undefined) {
  throw new Error(`no fault is called ${unknown}: ${BAD_DAYS.map(({ name }) => name).join(', ')}`)
}
const isPart = values.only !== undefined || values.on !== undefined || values.over !== undefined
const before = values.again ? readFigures() : []

// Broken off, it still ends what it started: that is done on exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const found: Figures[] = []
const backend = await startBackend()
try {
  for (const [runtime, face] of GROUPS) {
    if (values.on !== undefined && values.on !== runtime) continue
    if (values.over !== undefined && values.over !== face) continue
    const limiters = LIMITERS.filter(
      (limiter) => limiter.face === face && limiter.runtimes.includes(runtime),
    )
    const busy = before.filter(
      (figures) =>
        isBusy(figures) &&
        figures.runtime === runtime &&
        limiters.some(({ name }) => name === figures.limiter),
    )
    const days = BAD_DAYS.filter(
      ({ name }) =>
        (only?.includes(name) ?? true) && (!values.again || busy.some(({ day }) => day === name)),
    )
    if (days.length === 0) continue
    const times = { warmUpFor: WARM_UP_MS, awayFor: AWAY_MS, backFor: BACK_MS }
    found.push(
      ...(await campaign({ backend, runtime, limiters, days, ...times, log: console.log })),
    )
  }
} finally {
  await backend.stop()
}

const figures = values.again ? before.map(calmer) : found
const days = BAD_DAYS.filter(({ name }) => figures.some(({ day }) => day === name))
console.log(`\n${tables(days, figures)}\n\n${consoleTable(targetRows(figures))}`)
if (!isPart) write(days, figures)
const busy = new Set(figures.filter(isBusy).map(({ day, runtime }) => `${day} on ${runtime}`))
if (busy.size > 0) console.log(`\nthe machine was busy, try --again: ${[...busy].join(', ')}`)

/** What was found again, unless the machine was even busier. */
function calmer(old: Figures): Figures {
  const again = found.find(
    ({ day, runtime, limiter }) =>
      day === old.day && runtime === old.runtime && limiter === old.limiter,
  )
  return again && again.floorP95 < old.floorP95 ? again : old
}
