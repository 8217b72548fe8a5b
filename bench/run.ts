/**
 * Runs all benchmarks side by side, prints one table and writes `results/`; or only those that are
 * named, and then writes nothing. A target that is missed is told; a broken premise ends the run.
 */
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Backend, startBackend } from './backend/backend.ts'
import { batching } from './benchmarks/batching.ts'
import { bytes } from './benchmarks/bytes.ts'
import { commands } from './benchmarks/commands.ts'
import { costs } from './benchmarks/costs.ts'
import { features } from './benchmarks/features.ts'
import { heap } from './benchmarks/heap.ts'
import { leasing } from './benchmarks/lease.ts'
import { listeners } from './benchmarks/listeners.ts'
import { refusals } from './benchmarks/refusals.ts'
import { throughput } from './benchmarks/throughput.ts'
import { throughputInWorkerd } from './benchmarks/throughput-workerd.ts'
import { premise } from './measure/premise.ts'
import type { Outcome } from './outcome.ts'
import { consoleTable } from './report/table.ts'
import { write } from './report/write.ts'

const BENCHMARKS: Readonly<Record<string, (backend: Backend) => Promise<Outcome>>> = {
  commands,
  features,
  lease: leasing,
  refusals,
  throughput,
  listeners,
  'throughput-workerd': throughputInWorkerd,
  batching,
  bytes,
  heap,
  costs,
}

const named = process.argv.slice(2)
const unknown = named.find((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown !== undefined) {
  throw new Error(`no benchmark is called ${unknown}: ${Object.keys(BENCHMARKS).join(', ')}`)
}

// Broken off, it still ends what it started: that is done on exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

premiseOfBuild()
const backend = await startBackend()
try {
  const outcomes: Record<string, Outcome> = {}
  for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
    if (named.length > 0 && !named.includes(name)) continue
    const start = performance.now()
    const outcome = await benchmark(backend)
    outcomes[name] = outcome
    console.log(`\n${name}, ${Math.round((performance.now() - start) / 1000)} s`)
    console.table(outcome.figures)
  }
  console.log(`\n${consoleTable(Object.values(outcomes).flatMap(({ rows }) => rows))}`)
  if (named.length === 0) write(outcomes)
} finally {
  await backend.stop()
}

/** That what is measured is what stands in src. */
function premiseOfBuild(): void {
  const built = fileURLToPath(import.meta.resolve('tidegate'))
  const source = fileURLToPath(new URL('../src/', import.meta.resolve('tidegate')))
  const changed = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => statSync(`${parentPath}/${name}`).mtimeMs)
  const last = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0
  premise(last >= Math.max(...changed), 'the package is built from what is in src: npm run build')
}
