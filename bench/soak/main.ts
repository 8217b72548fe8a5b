/**
 * Real visitors, a real workerd, our gateway and a real Redis, with a fault every few seconds, for as
 * long as you like. Fails if memory or sockets grow, if a response or a promise fails, or if a key
 * is left without an expiry.
 *
 *     npm run soak -- --minutes 60
 */
import { sum } from '../measure/statistics.ts'
import { readOptions, USAGE } from './options.ts'
import { table, write } from './report.ts'
import { ISOLATES, soak } from './soak.ts'
import { failuresOf, judge, measuresOf } from './verdict.ts'

// Broken off, it still ends what it started: that is done on exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const options = read()
const { minutes, rate, seed } = options
console.log(`soak: ${minutes} minutes, ${rate} requests per second, seed ${seed}`)
const finding = await soak(options)
const judged = judge(measuresOf(ISOLATES), finding.samples)
const failures = failuresOf(judged, finding.events)
write(options, finding, judged, failures)

const { requests, calls, times, incidents, events, linesInAMinute, keys } = finding
console.log(`\n${table(judged)}\n`)
console.table({
  requests,
  'requests held back': finding.heldBack,
  'calls to the store': calls,
  faults: sum(incidents),
  statuses: JSON.stringify(events.statuses),
  'inside the isolate: p50, p99, slowest, ms': shown(times.inside),
  'at the visitors: p50, p99, slowest, ms': shown(times.seen),
  'a timer was late by: p50, p99, most, ms': shown(times.stalls),
  'long checks, all explained by late timers or not': finding.longChecks,
  'most lines of one isolate in a minute': linesInAMinute,
  'lines of workerd': sum(finding.runtimeLines),
  'keys at the end': keys,
})
console.log(`${options.figures}\n${options.plot}`)
for (const failure of failures) console.error(`FAILED: ${failure}`)
if (failures.length > 0) console.error(`the same faults again: --seed ${seed}`)
process.exitCode = failures.length > 0 ? 1 : 0

function shown({ p50, p99, max }: typeof times.inside): string {
  return `${p50}, ${p99}, ${max}`
}

function read() {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return process.exit(2)
  }
}
