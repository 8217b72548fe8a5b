import { parseArgs } from 'node:util'
import { describeValue } from '../../src/checks.ts'
import { ConfigError } from '../../src/errors.ts'
import { parseDuration } from '../../src/policy/duration.ts'
import { MODES, type Mode } from '../../src/simulation/rules/rules.ts'
import { ARRIVALS, DEFAULTS, ROUTES, type Scenario } from '../../src/simulation/scenario.ts'

export const USAGE = `npm run simulate                 the standard set
npm run simulate -- --seed 2     the same by another chance
npm run simulate -- [options]    a scenario of your own

  --mode <name>      a rule, or several with commas between; default: all, which are
                     ${MODES.slice(0, 4).join(', ')},
                     ${MODES.slice(4).join(', ')}
  --limit <n>        units per window and client
  --window <time>    such as 10s or 1m
  --rate <n>         requests per second that reach each isolate, on average
  --arrivals <name>  ${ARRIVALS.join(', ')}
  --burst <n>        requests in a burst, on average
  --duration <time>  for how long requests come
  --keys <n>         clients, each with a key
  --zipf <n>         how unequal they are: 0 for alike, about 1 for the web
  --isolates <n>     1 to 10000
  --points <n>       points of presence, 1 to 300
  --trip <time>      one round trip to the store for all, instead of that of each point
  --route <name>     ${ROUTES.join(', ')}
  --stay <time>      how long a wandering client stays at an isolate
  --lifetime <time>  how long an isolate lives; default: longer than the run
  --skew <time>      by how much clocks are wrong at most
  --drift <n>        by how many millionths they are too fast or too slow at most
  --out <file>       where the figures go, as JSON`

export interface Task {
  /** Nothing for the standard set. */
  readonly scenario: Scenario | undefined
  readonly seed: number
  readonly modes: readonly Mode[]
  readonly out: string | undefined
  readonly help: boolean
}

type Read<Value> = (option: string, text: string) => Value

/** How each part of a scenario is read. */
const READERS: { readonly [Name in keyof Scenario]: Read<Scenario[Name]> } = {
  seed: whole(0, 2 ** 31),
  limit: whole(1, 1_000_000_000),
  window: parseDuration,
  rate: number(0.000001, 1_000_000),
  arrivals: oneOf(ARRIVALS),
  burst: whole(1, 1000),
  duration: parseDuration,
  keys: whole(1, 1_000_000),
  zipf: number(0, 10),
  isolates: whole(1, 10_000),
  points: whole(1, 300),
  trip: parseDuration,
  route: oneOf(ROUTES),
  stay: parseDuration,
  lifetime: parseDuration,
  skew: parseDuration,
  drift: number(0, 100_000),
}

const TEXT = { type: 'string' } as const

/** Reads the command line. Throws an error that says which option is wrong, and how. */
export function readOptions(args: readonly string[]): Task {
  const texts = Object.fromEntries(Object.keys(READERS).map((name) => [name, TEXT]))
  const options = { mode: TEXT, out: TEXT, help: { type: 'boolean', short: 'h' } } as const
  const { values } = parseArgs({ args: [...args], options: { ...texts, ...options } })
  const textOf: Readonly<Record<string, string | boolean | undefined>> = values
  const { seed = DEFAULTS.seed, ...given }: Partial<Scenario> = Object.fromEntries(
    Object.entries(READERS).flatMap(([name, read]) => {
      const text = textOf[name]
      return typeof text === 'string' ? [[name, read(`--${name}`, text)]] : []
    }),
  )
  const isOwn = Object.keys(given).length > 0 || values.mode !== undefined
  const { isolates = DEFAULTS.isolates, rate = 3 } = given
  return {
    scenario: isOwn ? { ...DEFAULTS, ...given, seed, rate: rate * isolates } : undefined,
    seed,
    modes: values.mode?.split(',').map((mode) => oneOf(MODES)('--mode', mode)) ?? MODES,
    out: values.out,
    help: values.help ?? false,
  }
}

function number(least: number, most: number): Read<number> {
  return (option, text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value <= most) return value
    throw new ConfigError(option, `a number from ${least} to ${most}`, describeValue(text))
  }
}

function whole(least: number, most: number): Read<number> {
  return (option, text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new ConfigError(option, `a whole number from ${least} to ${most}`, describeValue(text))
  }
}

function oneOf<Name extends string>(names: readonly Name[]): Read<Name> {
  return (option, text) => {
    const name = names.find((one) => one === text)
    if (name !== undefined) return name
    throw new ConfigError(option, `one of ${names.join(', ')}`, describeValue(text))
  }
}
