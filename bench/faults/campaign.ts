import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../backend/backend.ts'
import { BARE, type Contestant, type Runtime } from './contestants.ts'
import { type BadDay, GOOD_DAY } from './faults.ts'
import { type Figures, figuresOf } from './figures.ts'
import { type Fleet, startFleet } from './fleet/fleet.ts'
import { ISOLATES, WINDOW_MS } from './quota.ts'
import { round } from './round.ts'

export interface CampaignOptions {
  readonly backend: Backend
  readonly runtime: Runtime
  readonly limiters: readonly Contestant[]
  readonly days: readonly BadDay[]
  /**
   * How long requests go through everything first, in ms: code is compiled when it is first run, which
   * is not what is measured.
   */
  readonly warmUpFor: number
  /** How long the store is away, in ms. */
  readonly awayFor: number
  /** How long requests go on after it is back, in ms. */
  readonly backFor: number
  readonly log?: (line: string) => void
}

/** What a round takes besides, at most: until the last visitor has given up. */
const MARGIN_MS = 15_000

/** Runs some limiters through some bad days, side by side in one runtime. */
export async function campaign(options: CampaignOptions): Promise<readonly Figures[]> {
  const { backend, runtime, limiters, days, warmUpFor, awayFor, backFor, log = () => {} } = options
  const fleets: Fleet[] = []
  const figures: Figures[] = []
  try {
    fleets.push(await startFleet(runtime, BARE, 1))
    for (const limiter of limiters) fleets.push(await startFleet(runtime, limiter, ISOLATES))
    if (warmUpFor > 0) {
      await round({ fleets, store: backend.near, day: GOOD_DAY, awayFor: warmUpFor, backFor: 0 })
    }
    for (const day of days) {
      await backend.empty()
      await windowFor(awayFor + backFor + MARGIN_MS)
      const observed = await round({ fleets, store: backend.near, day, awayFor, backFor })
      const [bare, ...others] = observed
      if (bare === undefined) continue
      figures.push(...others.map((one) => figuresOf(one, bare, day.name, runtime)))
      log(`${runtime}: ${day.title}`)
    }
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()))
  }
  return figures
}

/** Waits until no window of `@upstash/ratelimit` ends soon: its windows follow the clock. */
async function windowFor(ms: number): Promise<void> {
  const left = WINDOW_MS - (Date.now() % WINDOW_MS)
  if (left < ms) await sleep(left)
}
