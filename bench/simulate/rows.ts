import type { Figures } from '../../src/simulation/figures.ts'
import type { Mode } from '../../src/simulation/rules/rules.ts'
import type { Row } from '../outcome.ts'
import type { Findings } from './report.ts'

/** What the standard set found, by the names of its scenarios. */
export type AllFindings = Readonly<Record<string, Findings>>

const RIVALS: readonly Mode[] = ['upstash', 'hono-rate-limiter', 'rate-limiter-flexible', 'get-set']
const OURS: readonly Mode[] = ['strict', 'lease']

/** What the simulation has to show, and whether it does. */
export function rowsOf(all: AllFindings): readonly Row[] {
  const lease = (name: string) => figuresOf(all, name, 'lease')
  const rivals = (name: string, of: (figures: Figures) => string) =>
    RIVALS.map((mode) => of(figuresOf(all, name, mode))).join(' · ')
  const least = (prefix: string) => Math.min(...named(all, prefix).map((name) => lease(name).share))
  const billed = (name: string, target: number) => ({
    rivals: rivals(name, ({ billedPerAllowed }) => billedPerAllowed.toFixed(1)),
    target: `≤ ${target}`,
    tidegate: lease(name).billedPerAllowed.toFixed(4),
    met: lease(name).billedPerAllowed <= target,
  })
  const ofLimit = (name: string, target: number) => ({
    rivals: '–',
    target: `≥ ${target}`,
    tidegate: lease(name).share.toFixed(4),
    met: lease(name).share >= target,
  })
  const beyond = sumOf(all, OURS)
  const [doubled, wandering] = [least('doubled-'), least('wandering-')]

  return [
    {
      measure: 'billed commands per allowed request, lease, one isolate at 200 req/s on one key',
      ...billed('hot', 0.05),
    },
    {
      measure: 'the same from 100 isolates at 3 req/s each on one key, limit 10,000/min',
      ...billed('spread', 0.35),
    },
    {
      measure: 'added p50 latency at 30 ms to the store, lease, hot key',
      rivals: rivals('hot', ({ p50 }) => `${p50} ms`),
      target: '< 1 ms',
      tidegate: `${lease('hot').p50} ms`,
      met: lease('hot').p50 < 1,
    },
    {
      measure: 'admitted beyond the limit, any mode, any churn, any skew, all scenarios',
      rivals: RIVALS.map((mode) => sumOf(all, [mode]).toLocaleString('en-US')).join(' · '),
      target: '0',
      tidegate: `${beyond}`,
      met: beyond === 0,
    },
    {
      measure: 'admitted ÷ limit under twice the demand, lease, 1 to 1,000 isolates',
      rivals: '–',
      target: '≥ 0.99',
      tidegate: doubled.toFixed(4),
      met: doubled >= 0.99,
    },
    {
      measure: 'a client wandering over 100 isolates at 1 req/s under lease: of its limit',
      rivals: '–',
      target: '1',
      tidegate: wandering.toFixed(4),
      met: wandering === 1,
    },
    {
      measure: 'the same client with five requests at a time, limit 50: of its limit',
      ...ofLimit('bursts', 0.995),
    },
    {
      measure: 'the same client with pages of 20 requests, limit 100: of its limit',
      ...ofLimit('pages', 0.97),
    },
  ]
}

const named = (all: AllFindings, prefix: string) =>
  Object.keys(all).filter((name) => name.startsWith(prefix))

const sumOf = (all: AllFindings, modes: readonly Mode[]) =>
  Object.values(all)
    .flatMap((findings) => modes.map((mode) => findings[mode]?.beyond ?? 0))
    .reduce((sum, beyond) => sum + beyond, 0)

function figuresOf(all: AllFindings, name: string, mode: Mode): Figures {
  const figures = all[name]?.[mode]
  if (figures === undefined) throw new Error(`${mode} was not run in ${name}`)
  return figures
}
