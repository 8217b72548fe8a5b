/** One bad day of several limiters at once, each in four isolates over the same store. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from '../backend/backend.ts'
import type { BadDay } from './faults.ts'
import type { Fleet } from './fleet/fleet.ts'
import { type Load, loadOf, type Visits } from './load/load.ts'
import { visitors } from './load/visit.ts'
import { startProxies } from './proxies/proxies.ts'

export interface RoundOptions {
  readonly fleets: readonly Fleet[]
  readonly store: Place
  readonly day: BadDay
  /** In ms. */
  readonly awayFor: number
  /** In ms, for which requests go on after the store is back. */
  readonly backFor: number
}

/** What one limiter did in a round. Times are those of `performance.now()`. */
export interface Observed extends Visits {
  readonly contestant: Fleet['contestant']
  /** When the store went away, and when it was back. */
  readonly awayAt: number
  readonly backAt: number
  /** The lines that each isolate has logged. */
  readonly lines: readonly (readonly string[])[]
}

export async function round(options: RoundOptions): Promise<readonly Observed[]> {
  const { fleets, store, day, awayFor, backFor } = options
  const proxies = await startProxies(store)
  const load = visitors()
  try {
    await Promise.all(fleets.map((fleet) => fleet.restart(proxies.places)))
    const loads: readonly Load[] = fleets.map((fleet, index) =>
      loadOf(fleet, load, index / fleets.length),
    )
    await Promise.all(loads.map(({ prepare }) => prepare()))

    await proxies.begin(day)
    const awayAt = performance.now()
    let isOver = false
    const running = loads.map(({ start }) => start(() => isOver))
    await sleep(awayFor)
    await proxies.end()
    const backAt = performance.now()
    await sleep(backFor)
    isOver = true
    const visits = await Promise.all(running)
    const lines = await Promise.all(fleets.map((fleet) => fleet.lines()))
    return fleets.flatMap(({ contestant }, index) => {
      const found = visits[index]
      return found ? [{ ...found, contestant, awayAt, backAt, lines: lines[index] ?? [] }] : []
    })
  } finally {
    load.stop()
    await proxies.stop()
  }
}
