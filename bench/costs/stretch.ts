import { sampleOf } from '../../src/cost/sample.ts'
import type { Traffic } from '../../src/cost/traffic.ts'
import { agenda } from '../../src/simulation/agenda.ts'
import { demand } from '../../src/simulation/demand.ts'

/** A request of the simulated traffic, to be sent in real time. */
export interface Arrival {
  /** In ms from the start. */
  readonly at: number
  readonly client: string
  /** The isolate that it reaches. */
  readonly slot: number
}

/** So many clients come once at most. */
const MOST_CLIENTS = 20_000
/** The end of a stretch, in which no visit begins: nearly all visits are over by then. */
const TAIL_MS = 8000

/**
 * A stretch of the traffic that `tidegate cost` simulates, from the same generator: about so many
 * requests. Clients who seldom come are fewer and come more often than they do, but still once.
 */
export function stretchOf(traffic: Traffic, ms: number, requests: number): readonly Arrival[] {
  const { scenario } = sampleOf(traffic)
  const perClient = scenario.rate / scenario.keys
  const keys = Math.min(MOST_CLIENTS, Math.max(1, Math.round(requests / ((perClient * ms) / 1000))))
  const rate = keys === MOST_CLIENTS ? requests / ((ms - TAIL_MS) / 1000) : perClient * keys
  const time = agenda()
  const arrivals: Arrival[] = []
  demand({ ...scenario, keys, rate, duration: ms }, time, (client, slot) =>
    arrivals.push({ at: time.now(), client, slot }),
  )
  while (time.step());
  if (traffic.visit === 1) return arrivals
  const begun = new Set(arrivals.filter(({ at }) => at < ms - TAIL_MS).map(({ client }) => client))
  return arrivals.filter(({ client }) => begun.has(client))
}
