import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FAULT_NAMES } from './incidents.ts'
import { LIMITED_PATHS, type LimitedPath } from './paths.ts'

export const USAGE = `npm run soak -- [options]

  --minutes <n>   for how long faults come, 0.1 to 1440; default: 1
  --rate <n>      requests per second, over all isolates, 1 to 2000; default: 300
  --seed <n>      the same seed gives the same faults and clients; default: random, printed
  --fault <name>  only this fault, or 'none'; may be repeated; default: all
  --path <name>   only this path of the Worker; may be repeated; default: all
  --out <path>    where the figures (.json) and the plot (.svg) go; default: bench/results and
                  docs from 20 minutes on, otherwise a temporary folder`

export interface Options {
  readonly minutes: number
  /** Requests per second, over all isolates. */
  readonly rate: number
  readonly seed: number
  /** The names of the faults that come; `undefined`: all. */
  readonly faults: readonly string[] | undefined
  /** The paths that visitors ask for; `undefined`: all. */
  readonly paths: readonly LimitedPath[] | undefined
  /** The paths of the results. */
  readonly figures: string
  readonly plot: string
}

/** A run of this length may replace the results that are part of the repository. */
const MINUTES_OF_RECORD = 20

const pathOf = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** Reads the command line. Throws an error that names the option that is wrong. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const texts = { type: 'string', multiple: true } as const
  const options = { minutes: text, rate: text, seed: text, fault: texts, path: texts, out: text }
  const { values } = parseArgs({ args: [...args], options })
  const minutes = number('--minutes', values.minutes ?? '1', 0.1, 1440)
  return {
    minutes,
    rate: number('--rate', values.rate ?? '300', 1, 2000),
    seed: number('--seed', values.seed ?? `${Math.floor(Math.random() * 1e6)}`, 0, 2 ** 31),
    faults: values.fault?.flatMap((name) => faultNamed(name)),
    paths: values.path?.map(pathNamed),
    ...resultsOf(minutes, values.out),
  }
}

function faultNamed(name: string): readonly string[] {
  if (name === 'none') return []
  if (FAULT_NAMES.includes(name)) return [name]
  throw new Error(`--fault: expected none, ${FAULT_NAMES.join(' or ')}, got "${name}"`)
}

function pathNamed(name: string): LimitedPath {
  const path = LIMITED_PATHS.find((path) => path === name)
  if (path !== undefined) return path
  throw new Error(`--path: expected ${LIMITED_PATHS.join(' or ')}, got "${name}"`)
}

function resultsOf(minutes: number, out: string | undefined): Pick<Options, 'figures' | 'plot'> {
  if (out === undefined && minutes >= MINUTES_OF_RECORD) {
    return { figures: pathOf('bench/results/soak.json'), plot: pathOf('docs/soak.svg') }
  }
  const path = out ?? join(tmpdir(), 'tidegate-soak')
  return { figures: `${path}.json`, plot: `${path}.svg` }
}

function number(option: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most) return value
  throw new Error(`${option}: expected a number from ${least} to ${most}, got "${text}"`)
}
