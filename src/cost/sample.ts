import { DEFAULTS, type Scenario } from '../simulation/scenario.ts'
import { MONTH_HOURS } from './prices.ts'
import type { Traffic } from './traffic.ts'

const MONTH_MS = MONTH_HOURS * 3_600_000

/** Enough for two digits, and few enough for a second. */
const REQUESTS = 30_000
/** So many if a client sends more in one window. */
const MOST_REQUESTS = 300_000
/** The round trip from an isolate to the store, in ms. */
export const TRIP_MS = 30

/** The part of the traffic that is simulated. */
export interface Sample {
  readonly scenario: Scenario
  /** Whether the window and the limit are shorter than they are, in the same proportion. */
  readonly shortened: boolean
}

/**
 * A sample of the clients for the whole month, or one client for some whole windows if it sends too
 * many requests in a month. Clients are counted apart, so their number does not change what a
 * request costs.
 */
export function sampleOf(traffic: Traffic): Sample {
  const { requests, clients, limit, window, isolates, visit, stay } = traffic
  const perClient = requests / clients
  const perMs = perClient / MONTH_MS
  const keys = Math.max(1, Math.round(REQUESTS / perClient))
  const windows = Math.ceil(REQUESTS / perMs / window)
  const longest = Math.floor(MOST_REQUESTS / perMs)
  const shortened = window > longest
  const simulated = shortened ? longest : window
  const time = perClient <= REQUESTS ? MONTH_MS : windows * window
  return {
    shortened,
    scenario: {
      ...DEFAULTS,
      limit: shortened ? Math.max(1, Math.round((limit * simulated) / window)) : limit,
      window: simulated,
      rate: perMs * keys * 1000,
      arrivals: 'visits',
      burst: visit,
      duration: shortened ? longest : Math.min(time, MONTH_MS),
      keys,
      zipf: 0,
      isolates,
      trip: TRIP_MS,
      ...(stay > 0 ? { route: 'wandering', stay } : { route: 'uniform' }),
    },
  }
}
