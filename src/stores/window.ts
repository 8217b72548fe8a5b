import type { Demand, Grant } from './store.ts'

/** One life of a key: from the unit that opened it to its end, by the store's clock. */
export interface Window {
  readonly used: number
  /** In ms since the epoch. */
  readonly endsAt: number
}

/** What became of a call: of each demand the answer, and the window to keep, if one is open. */
export interface Taken {
  readonly grants: readonly Grant[]
  readonly windows: readonly (Window | undefined)[]
}

/**
 * The fixed window, all of it: the counts of each demand's key before, and after. Memory runs this;
 * the script of the Redis stores says the same in Lua, held equal by a differential test.
 */
export function takeFixedWindow(
  demands: readonly Demand[],
  before: readonly (Window | undefined)[],
  now: number,
): Taken {
  const opens: (Window | undefined)[] = []
  let granting = true
  for (const [index, demand] of demands.entries()) {
    const open = currentWindow(before[index], demand.window, now)
    opens.push(open)
    granting &&= fits(demand, open)
  }
  const windows: (Window | undefined)[] = []
  const grants: Grant[] = []
  for (const [index, demand] of demands.entries()) {
    const { limit, window, cost, reserve = 0 } = demand
    const open = opens[index]
    const used = usedOf(demand, open)
    const granted = granting ? Math.min(cost + reserve, limit - used) : 0
    const endsAt = open?.endsAt ?? now + window
    const isOpen = open !== undefined || granted > 0
    windows.push(isOpen ? { used: (open?.used ?? 0) + granted, endsAt } : undefined)
    grants.push({
      granted,
      used: used + granted,
      resetIn: isOpen ? endsAt - now : 0,
      retryIn: granting || fits(demand, open) ? 0 : endsAt - now,
    })
  }
  return { grants, windows }
}

/** A count beyond the limit, which was lowered meanwhile, is as good as one that stands at it. */
const usedOf = ({ limit }: Demand, open: Window | undefined) => Math.min(open?.used ?? 0, limit)

const fits = (demand: Demand, open: Window | undefined) =>
  usedOf(demand, open) + demand.cost <= demand.limit

/** The window open now; one whose end is out of reach ends a whole window from now. */
function currentWindow(open: Window | undefined, window: number, now: number): Window | undefined {
  if (open === undefined || open.endsAt <= now) return undefined
  return open.endsAt - now > window ? { used: open.used, endsAt: now + window } : open
}
