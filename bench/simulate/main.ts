import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figures } from '../../src/simulation/figures.ts'
import { type Mode, RULES } from '../../src/simulation/rules/rules.ts'
import type { Scenario } from '../../src/simulation/scenario.ts'
import { simulate } from '../../src/simulation/simulate.ts'
import { readOptions, type Task, USAGE } from './options.ts'
import { align, type Findings, tableOf } from './report.ts'
import { rowsOf } from './rows.ts'
import { standard } from './standard.ts'

const RESULTS = fileURLToPath(new URL('../results/simulation.json', import.meta.url))

async function main(): Promise<void> {
  const { scenario, seed, modes, out, help } = read()
  if (help) return console.log(USAGE)
  if (scenario) {
    const findings = await runAll(scenario, modes)
    console.log(tableOf(findings))
    if (out) write(out, { scenario, modes: findings })
    return
  }
  const studies = standard(seed)
  const all: Record<string, Findings> = {}
  for (const study of studies) {
    all[study.name] = await runAll(study.scenario, study.modes)
    console.log(`${study.title}\n\n${tableOf(all[study.name] ?? {})}\n`)
  }
  const rows = rowsOf(all)
  console.log(
    align([
      ['measure', 'upstash · hono · flexible · get-set', 'target', 'Tidegate', ''],
      ...rows.map(({ measure, rivals, target, tidegate, met }) => [
        measure,
        rivals,
        target,
        tidegate,
        met ? 'met' : 'NOT MET',
      ]),
    ]),
  )
  const scenarios = studies.map((study) => ({ ...study, modes: all[study.name] }))
  write(out ?? RESULTS, { seed, rows, scenarios })
  if (!rows.every(({ met }) => met)) process.exitCode = 1
}

async function runAll(scenario: Scenario, modes: readonly Mode[]): Promise<Findings> {
  const found: Partial<Record<Mode, Figures>> = {}
  for (const mode of modes) found[mode] = await simulate(scenario, RULES[mode])
  return found
}

function write(file: string, content: object): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
}

function read(): Task {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return process.exit(2)
  }
}

await main()
