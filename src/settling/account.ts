import type { Taken, Window } from '../stores/fixed-window.ts'
import type { Demand, Settlement } from '../stores/store.ts'

/**
 * Adds the accounts of open windows to what a call has taken. A window without an account gets one,
 * with the name of the demand. Memory and the Durable Object run this function; the script of the
 * Redis stores does the same in Lua.
 */
export function withAccounts(demands: readonly Demand[], { grants, windows }: Taken): Taken {
  const opened = windows.map((window, index) => {
    const name = demands[index]?.settling
    if (name === undefined || window === undefined || window.account) return window
    return { ...window, account: { name, settled: 0, ids: new Set<string>() } }
  })
  const told = grants.map((grant, index) => {
    if (!demands[index]?.settling) return grant
    const { name, settled = 0 } = opened[index]?.account ?? {}
    return { ...grant, ...(name !== undefined && { windowName: name }), settled }
  })
  return { grants: told, windows: opened }
}

/**
 * Returns the window after a settlement; `undefined` if the settlement is about another window, or
 * was applied before.
 */
export function settleFixedWindow(
  { windowName, id, reserved, used }: Settlement,
  window: Window | undefined,
  now: number,
): Window | undefined {
  const account = window?.account
  if (!window?.used || window.endsAt <= now) return undefined
  if (account?.name !== windowName || account.ids.has(id)) return undefined
  account.ids.add(id)
  const settled = account.settled + used
  return { ...window, used: window.used + used - reserved, account: { ...account, settled } }
}
