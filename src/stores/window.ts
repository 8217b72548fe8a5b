import type { Demand, Grant } from './store.ts'

/** One life of a key: from the unit that opened it to its end, by the store's clock. */
export interface Window {
  readonly used: number
  /** In ms since the epoch. */
  readonly endsAt: number
}

/** What became of one demand: the window to keep (none if none is open), and the answer. */
export interface Step {
  readonly window: Window | undefined
  readonly grant: Grant
}

/**
 * The fixed window, all of it: the counts of each demand's key before, and after. Memory runs this;
 * the script of the Redis stores says the same in Lua, held equal by a differential test.
 */
export function takeFixedWindow(
  demands: readonly Demand[],
  windows: readonly (Window | undefined)[],
  now: number,
): readonly Step[] {
  const current = demands.map((demand, index) => currentWindow(windows[index], demand.window, now))
  const fits = demands.map(({ limit, cost }, index) => (current[index]?.used ?? 0) + cost <= limit)
  const granting = fits.every(Boolean)
  return demands.map((demand, index) => {
    const { limit, cost, reserve = 0 } = demand
    const open = current[index]
    const used = open?.used ?? 0
    const granted = granting ? Math.min(cost + reserve, Math.max(0, limit - used)) : 0
    const endsAt = open?.endsAt ?? now + demand.window
    const window = open || granted > 0 ? { used: used + granted, endsAt } : undefined
    return {
      window,
      grant: {
        granted,
        used: Math.min(used + granted, limit),
        resetIn: window ? endsAt - now : 0,
        retryIn: fits[index] ? 0 : endsAt - now,
      },
    }
  })
}

/** The window open now; one whose end is out of reach ends a whole window from now. */
function currentWindow(open: Window | undefined, window: number, now: number): Window | undefined {
  if (open === undefined || open.endsAt <= now) return undefined
  return open.endsAt - now > window ? { used: open.used, endsAt: now + window } : open
}
