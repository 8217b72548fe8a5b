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
  const windows: (Window | undefined)[] = []
  let granting = true
  for (const demand of demands) {
    const open = currentWindow(before[windows.length], demand.window, now)
    windows.push(open)
    granting &&= fits(demand, open)
  }
  const grants: Grant[] = []
  for (const demand of demands) {
    const { limit, window, cost, reserve = 0 } = demand
    const index = grants.length
    const open = windows[index]
    const used = usedOf(demand, open)
    const granted = granting ? Math.min(cost + reserve, limit - used) : 0
    const endsAt = open?.endsAt ?? now + window
    if (granted > 0) windows[index] = { used: used + granted, endsAt }
    grants.push({
      granted,
      used: Math.max(used + granted, 0),
      resetIn: open || granted > 0 ? endsAt - now : 0,
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
