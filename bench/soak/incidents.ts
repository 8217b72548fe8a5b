import { type Random, random } from '../../src/simulation/random.ts'
import type { Fault } from '../../tests/support/faults/fault.ts'
import type { ObjectFault } from './objects.ts'

/** What goes wrong for a while, and where. */
export interface Incident {
  readonly name: string
  /** Between the isolates and the gateway. */
  readonly http?: Fault
  /** Between the gateway and Redis. */
  readonly redis?: Fault
  readonly objects?: ObjectFault
}

/** An incident with its times. */
export interface TimedIncident extends Incident {
  /** The only isolate that meets it; `undefined`: all isolates meet it. */
  readonly isolate: number | undefined
  /** In ms: how long the store answers before the incident. */
  readonly calm: number
  /** In ms. */
  readonly duration: number
}

const status = (status: number, error: string): Fault => ({
  kind: 'status',
  status,
  body: JSON.stringify({ error }),
  headers: { 'content-type': 'application/json' },
})

const INCIDENTS: readonly Incident[] = [
  { name: 'refused', http: { kind: 'refuse' } },
  { name: 'hangs, then goes on', http: { kind: 'hang' } },
  { name: 'hangs, then drops', http: { kind: 'hang', afterwards: 'drop' } },
  { name: 'slow', http: { kind: 'slow', delay: { median: 200, sigma: 1 } } },
  { name: 'just in time', http: { kind: 'slow', delay: { from: 700, to: 950 } } },
  { name: 'answers too late', http: { kind: 'slow', delay: 1500 } },
  { name: 'runs too late', http: { kind: 'slow', delay: 1500, holds: 'call' } },
  { name: 'cut', http: { kind: 'cut' } },
  { name: 'reset', http: { kind: 'reset' } },
  { name: 'garbage', http: { kind: 'garbage' } },
  { name: 'HTTP 503', http: status(503, 'the database is being started') },
  { name: 'HTTP 429', http: status(429, 'ERR max daily request limit exceeded') },
  { name: 'HTTP 400', http: status(400, "READONLY You can't write against a read only replica.") },
  { name: 'half reset', http: { kind: 'some', share: 0.5, fault: { kind: 'reset' } } },
  { name: 'half refused', http: { kind: 'some', share: 0.5, fault: { kind: 'refuse' } } },
  { name: 'flaps', http: { kind: 'flap', downMs: 700, upMs: 700, fault: { kind: 'hang' } } },
  { name: 'Redis refused', redis: { kind: 'refuse' } },
  { name: 'Redis hangs', redis: { kind: 'hang' } },
  { name: 'Redis slow', redis: { kind: 'slow', delay: { from: 0, to: 1500 }, holds: 'call' } },
  { name: 'Redis cut', redis: { kind: 'cut' } },
  { name: 'Redis reset', redis: { kind: 'reset' } },
  { name: 'Redis garbage', redis: { kind: 'garbage' } },
  {
    name: 'Redis loading',
    redis: { kind: 'error', text: 'LOADING Redis is loading the dataset in memory' },
  },
  { name: 'Redis OOM', redis: { kind: 'error', text: 'OOM command not allowed' } },
  { name: 'objects hang', objects: 'hang' },
  { name: 'objects overloaded', objects: 'overloaded' },
  { name: 'objects lost', objects: 'lost' },
]

export const FAULT_NAMES: readonly string[] = INCIDENTS.map(({ name }) => name)

const CALM_MS = { least: 500, mean: 1500, most: 5000 }
const DURATION_MS = { least: 500, mean: 2000, most: 8000 }
/** One incident before the gateway in so many meets a single isolate. */
const ALONE = 3

/**
 * Endless incidents of the kinds named. Each kind comes once before any comes again, in another order
 * each time.
 */
export function* incidents(
  seed: number,
  isolates: number,
  names: readonly string[] = FAULT_NAMES,
): Generator<TimedIncident, void> {
  const chance = random(seed, 'incidents')
  const kinds = INCIDENTS.filter(({ name }) => names.includes(name))
  while (kinds.length > 0) {
    for (const incident of shuffled(kinds, chance)) {
      const isAlone = incident.http !== undefined && chance.below(ALONE) === 0
      const isolate = isAlone ? chance.below(isolates) : undefined
      const calm = draw(CALM_MS, chance)
      yield { ...incident, isolate, calm, duration: draw(DURATION_MS, chance) }
    }
  }
}

interface Span {
  readonly least: number
  readonly mean: number
  readonly most: number
}

const draw = ({ least, mean, most }: Span, chance: Random) =>
  Math.min(least + chance.wait(mean - least), most)

function shuffled<Item>(items: readonly Item[], chance: Random): readonly Item[] {
  const keyed = items.map((item) => ({ item, at: chance.next() }))
  return keyed.sort((a, b) => a.at - b.at).map(({ item }) => item)
}
