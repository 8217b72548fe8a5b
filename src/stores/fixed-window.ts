import type { Demand, Grant, Owed } from './store.ts'

/** One life of a key: from the unit that opened it to its end, by the store's clock. */
export interface Window {
  readonly used: number
  /** In ms since the epoch. */
  readonly endsAt: number
  /** `undefined` if no policy settles its units. */
  readonly account: Account | undefined
}

/** What is kept of a window whose units are settled. */
export interface Account {
  readonly name: string
  /** How many of the used units are settled. */
  readonly settled: number
  /** The settlements that the window has had, by their ids. Grows. */
  readonly ids: Set<string>
}

/** The result of a call: for each demand the grant, and the window to keep if it is open. */
export interface Taken {
  readonly grants: readonly Grant[]
  readonly windows: readonly (Window | undefined)[]
}

/**
 * Applies the fixed-window algorithm: from the window of each demand's key before the call,
 * computes the grants and the windows after it. Memory and the Durable Object run this function.
 * The script of the Redis stores does the same in Lua, and a differential test keeps the two equal.
 */
export function takeFixedWindow(
  demands: readonly Demand[],
  before: readonly (Window | undefined)[],
  now: number,
): Taken {
  const windows: (Window | undefined)[] = []
  let granting = true
  for (const demand of demands) {
    const current = currentWindow(before[windows.length], demand.window, now)
    const open = demand.owed ? charged(demand, demand.owed, current, now) : current
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
    if (granted > 0) windows[index] = { used: used + granted, endsAt, account: open?.account }
    grants.push({
      granted,
      used: Math.max(used + granted, 0),
      resetIn: open || granted > 0 ? endsAt - now : 0,
      retryIn: granting || fits(demand, open) ? 0 : endsAt - now,
    })
  }
  return { grants, windows }
}

/**
 * The window after it was charged with what is owed. The units are not charged to a window that
 * opened after they were granted.
 */
function charged(
  demand: Demand,
  { units, age, rest }: Owed,
  open: Window | undefined,
  now: number,
): Window | undefined {
  if (open && demand.window - (open.endsAt - now) < age) return open
  const used = usedOf(demand, open)
  const more = Math.min(units, demand.limit - used)
  return more > 0
    ? { used: used + more, endsAt: open?.endsAt ?? now + rest, account: open?.account }
    : open
}

/** The units used, at most `limit`: the limit may have been lowered since they were counted. */
const usedOf = ({ limit }: Demand, open: Window | undefined) => Math.min(open?.used ?? 0, limit)

const fits = (demand: Demand, open: Window | undefined) =>
  usedOf(demand, open) + demand.cost <= demand.limit

/**
 * The open window. If it ends later than a whole window from now, it is shortened to that. A window
 * of which all units were given back is not open: Redis cannot distinguish it from a missing key.
 */
function currentWindow(open: Window | undefined, window: number, now: number): Window | undefined {
  if (!open?.used || open.endsAt <= now) return undefined
  return open.endsAt - now > window ? { ...open, endsAt: now + window } : open
}
