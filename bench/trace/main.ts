/**
 * What one warm request through Hono costs in calls: `npm run trace`. What each column means is in
 * `../README.md`, "The path of a request".
 *
 *     node bench/trace/main.ts          # the built package
 *     node bench/trace/main.ts src      # its source
 *     node bench/trace/main.ts --json
 */
import { parseArgs } from 'node:util'
import { startCounter } from './calls.ts'
import { replaceClocks } from './clocks.ts'
import { type Kind, send, settle } from './request.ts'

/** Functions of Tidegate whose calls have a column of their own. */
const NAMES = ['ifOpen', 'learn', 'keyOf']

const COLUMNS = ['functions', 'calls', 'files', 'clock', ...NAMES]

/** By the columns of the table. */
type Cost = Readonly<Record<string, number>>

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' } },
  allowPositionals: true,
})
const counter = startCounter()
const clocks = replaceClocks()
// These import the modules that are counted, so they are imported after the counter has started.
const { tidegate } = await import('./tidegate.ts')
const { rivals } = await import('./rivals.ts')

/** Names of all functions that ran while the apps warmed up. */
const warmedUp = new Set<string>()

async function costOf(kind: Kind, names: readonly string[]): Promise<Cost> {
  const { name, folders, app, warmUp, status, trips, sent } = kind
  for (let request = 0; request < warmUp.requests; request++) {
    await send(app)
    clocks.advance(warmUp.gapMs)
  }
  await settle()
  for (const called of counter.take(folders).byName.keys()) warmedUp.add(called)
  const before = { sent: sent(), readings: clocks.readings() }
  const found = await send(app)
  await settle()
  const { functions, calls, files, byName } = counter.take(folders)
  const clock = clocks.readings() - before.readings
  const tripsFound = sent() - before.sent
  if (found !== status || tripsFound !== trips || functions === 0) {
    throw new Error(
      `${name}: expected status ${status} after ${trips} requests to the store, ` +
        `got ${found} after ${tripsFound}, in ${functions} functions`,
    )
  }
  const named = names.map((called) => [called, byName.get(called) ?? 0])
  return { functions, calls, files, clock, ...Object.fromEntries(named) }
}

const costs: Record<string, Cost> = {}
for (const kind of await tidegate(positionals[0] ?? 'dist', clocks)) {
  costs[kind.name] = await costOf(kind, NAMES)
}
const missing = NAMES.filter((name) => !warmedUp.has(name))
if (missing.length > 0) {
  throw new Error(`NAMES: no function is called ${missing.join(' or ')} any more`)
}
for (const kind of rivals()) costs[kind.name] = await costOf(kind, [])

if (values.json) {
  console.log(JSON.stringify(costs))
} else {
  const line = (cells: readonly unknown[]) => console.log(`| ${cells.join(' | ')} |`)
  line(['one warm request', ...COLUMNS])
  line(['---', ...COLUMNS.map(() => '---')])
  for (const [name, cost] of Object.entries(costs)) {
    line([name, ...COLUMNS.map((column) => cost[column] ?? '–')])
  }
}
