import type { Clock } from '../clock.ts'
import { DEFAULT_PREFIX, keyOf } from '../stores/key.ts'
import type { Demand, Grant, Store, TakeOptions } from '../stores/store.ts'
import { recent } from './lru.ts'
import { beganAnew, certainUntil, learn, open, resetIn, type Sight } from './observed-window.ts'
import { coldAt, expected, type Heat, isHot, warm } from './request-rate.ts'

/**
 * A lease takes at most this part of what is left, and for at most `SPAN` of the time that is left:
 * found with `npm run simulate`, where 1,000 isolates under twice the demand pass 99 % of the limit,
 * in windows of two seconds too.
 */
const SHARE = 1 / 32
const SPAN = 1 / 4

/** In ms. Units that were not heard of for so long will not come. */
const PATIENCE = 2000

/** Before any time that a clock may tell. */
const NEVER = Number.NEGATIVE_INFINITY

/** A key of a policy that leases, in this isolate. */
interface Held extends Heat {
  /** Units taken from the store and not spent. They end with their window. */
  units: number
  /** How many of them came last. */
  taken: number
  /** The window that the units are of. */
  sight: Sight | undefined
  /** Counts the windows, so that nothing of one is given back into the next. */
  life: number
  /** Until when units that were asked for may be on their way. */
  takingUntil: number
}

/** A demand of one call, and what is held for it, if its policy leases. */
interface Part {
  readonly demand: Demand
  readonly held: Held | undefined
  /** The window whose units pay for the demand; nothing if the store has to be asked. */
  readonly paidIn: number | undefined
}

/**
 * A store that takes units ahead of keys that are hot in this isolate, and spends them without a
 * trip. The store has counted them when they come, so that the sum over all isolates never
 * exceeds the limit, whatever dies when; units that nobody spends are lost with their window.
 *
 * @param ahead for how many ms of demand a policy takes units ahead, by its name; nothing for one
 * that does not
 */
export function lease(
  store: Store,
  ahead: (policy: string) => number | undefined,
  clock: Clock,
): Store {
  const keys = recent<Held>()
  /** In ms: how long the last answer took. */
  let trip = 0

  /** What is held for a demand, whose request makes its key warmer. */
  function heldFor(demand: Demand, now: number): Held | undefined {
    if (ahead(demand.policy) === undefined || demand.cost === 0 || demand.reserve) return undefined
    const key = keyOf(DEFAULT_PREFIX, demand)
    let held = keys.get(key)
    if (held === undefined) {
      held = { ...coldAt(now), units: 0, taken: 0, sight: undefined, life: 0, takingUntil: NEVER }
      keys.set(key, held)
    }
    warm(held, now)
    if (open(held.sight, now) === undefined) begin(held, undefined)
    return held
  }

  /**
   * How many units to take along: what the rate here needs, for no longer than it has lasted (who
   * loads a page, and moves on, leaves none behind) nor than a quarter of what is left of the
   * window (those who would spend them may stay away), and no more than a share of the rest.
   */
  function reserveFor(held: Held, { policy, limit }: Demand, now: number): number {
    const { sight, warmSince, takingUntil } = held
    if (!isHot(held) || now < takingUntil || sight === undefined) return 0
    const time = Math.min(ahead(policy) ?? 0, now - warmSince, (sight.until - now) * SPAN)
    return Math.max(0, Math.floor(Math.min(expected(held, time), (limit - sight.used) * SHARE)))
  }

  /** Asks the store, and keeps what it grants beyond the cost. */
  async function ask(
    parts: readonly Part[],
    now: number,
    options?: TakeOptions,
  ): Promise<readonly Grant[]> {
    const asked = parts.map(({ held }) => held?.sight)
    const demands = parts.map(({ demand, held }) => {
      const reserve = held ? reserveFor(held, demand, now) : 0
      return reserve > 0 ? { ...demand, reserve } : demand
    })
    // One at a time: what others find missing meanwhile they ask for alone.
    const taking = parts.flatMap(({ held }, index) =>
      held && demands[index]?.reserve ? [held] : [],
    )
    for (const held of taking) held.takingUntil = now + PATIENCE
    let grants: readonly Grant[]
    try {
      grants = await store.take(demands, options)
    } finally {
      for (const held of taking) held.takingUntil = NEVER
    }
    const then = clock()
    trip = Math.max(0, then - now)
    return parts.map(({ demand, held }, index) => {
      const grant = grants[index] ?? NOTHING
      // What a fallback granted is of another count.
      if (held === undefined || (grant.source ?? 'store') !== 'store') return grant
      keep(held, asked[index], grant, grant.granted - demand.cost, now, then)
      const granted = Math.min(grant.granted, demand.cost)
      // Of answers that overtook each other the newer one knows more.
      const used = Math.max(0, Math.max(held.sight?.used ?? 0, grant.used) - held.units)
      return { ...grant, granted, used }
    })
  }

  /** Refills what will be spent before another refill could arrive, behind the back of requests. */
  function refill(held: Held, demand: Demand, now: number, waitUntil: TakeOptions['waitUntil']) {
    if (
      waitUntil === undefined ||
      held.units > Math.max(1, expected(held, 2 * trip), held.taken / 2)
    )
      return
    if (reserveFor(held, demand, now) === 0) return
    const refilling = { demand: { ...demand, cost: 0 }, held, paidIn: undefined }
    const asking = ask([refilling], now, { waitUntil })
    // What fails here meets the next request that has to ask.
    waitUntil(asking.catch(() => {}))
  }

  return {
    async take(demands, options) {
      const now = clock()
      const parts = demands.map((demand): Part => {
        const held = heldFor(demand, now)
        if (held === undefined || held.units < demand.cost) {
          return { demand, held, paidIn: undefined }
        }
        // Set aside at once: nobody else may spend them while the store is asked for the rest.
        held.units -= demand.cost
        return { demand, held, paidIn: held.life }
      })
      const missing = parts.filter(({ paidIn }) => paidIn === undefined)
      let asked: readonly Grant[] = []
      let granted = true
      try {
        if (missing.length > 0) asked = await ask(missing, now, options)
        granted = missing.every(({ demand }, index) => (asked[index]?.granted ?? 0) >= demand.cost)
      } catch (error) {
        for (const part of parts) giveBack(part)
        throw error
      }
      return parts.map((part) => {
        const { demand, held, paidIn } = part
        if (held === undefined || paidIn === undefined) {
          return asked[missing.indexOf(part)] ?? NOTHING
        }
        if (granted) refill(held, demand, now, options?.waitUntil)
        else giveBack(part)
        const { sight, units } = held
        return {
          granted: granted ? demand.cost : 0,
          used: sight ? sight.used - units : 0,
          resetIn: sight ? resetIn(sight, now) : 0,
          retryIn: 0,
          source: 'lease',
        }
      })
    },
  }
}

const NOTHING: Grant = { granted: 0, used: 0, resetIn: 0, retryIn: 0 }

/** Another window begins, or none: what was held ends with the one before. */
function begin(held: Held, sight: Sight | undefined): void {
  held.sight = sight
  held.units = 0
  held.life++
}

/** Keeps the units that an answer brings, if their window is still open when it comes. */
function keep(
  held: Held,
  asked: Sight | undefined,
  grant: Grant,
  units: number,
  since: number,
  now: number,
): void {
  const before = open(held.sight, now)
  const sight = learn(held.sight, asked, grant, since, now)
  if (!before || !sight || beganAnew(before, asked, grant, since)) begin(held, sight)
  else held.sight = sight
  if (now >= certainUntil(grant, since) || units <= 0) return
  held.units += units
  held.taken = units
}

function giveBack({ demand, held, paidIn }: Part): void {
  if (held !== undefined && held.life === paidIn) held.units += demand.cost
}
