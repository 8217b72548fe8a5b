import { policyOf } from '../policy/policy-name.ts'
import { assertUnits } from '../policy/units.ts'
import type { Demand, Grant, Receipts, Store } from '../stores/store.ts'

/** Policy, client, name of the window, and units reserved. */
export type ReceiptEntry = readonly [
  policy: string,
  client: string,
  windowName: string,
  reserved: number,
]

/** The id of a decision, and what it reserved. */
export type Receipt = readonly [id: string, ...entries: readonly ReceiptEntry[]]

/** Returns the receipt of a decision as JSON, or `undefined` if there is nothing to settle. */
export function receiptOf(
  id: string,
  demands: readonly Demand[],
  grants: readonly Grant[],
): string | undefined {
  const entries = demands.flatMap(({ policy, client, cost, settling }, index) => {
    const { granted = 0, windowName, source = 'store' } = grants[index] ?? {}
    const isCounted = settling && windowName && source === 'store' && granted >= cost
    return isCounted ? [[policy, client, windowName, cost]] : []
  })
  return entries.length > 0 ? JSON.stringify([id, ...entries]) : undefined
}

/** Returns the function that settles receipts. Calls `usedBy` at once for each policy. */
export const settleReceipt =
  (store: Store): Receipts['settle'] =>
  async (receipt, usedBy) => {
    const [id, ...entries] = JSON.parse(receipt) as Receipt
    const counting = entries.map(([key]) => logErrors(() => usedBy(policyOf(key))))
    // What is known at once is sent at once, so that the client's next request finds it settled.
    const isKnown = counting.every((used) => typeof used !== 'object')
    const units = isKnown ? counting : await Promise.all(counting)
    const settlements = entries.flatMap(([policy, client, windowName, reserved], index) => {
      const used = logErrors(() => checkUnits(units[index]))
      return typeof used === 'number' ? [{ id, policy, client, windowName, reserved, used }] : []
    })
    if (settlements.length > 0) await store.settle?.(settlements).catch(() => {})
  }

function checkUnits(used: unknown): number | undefined {
  if (used !== undefined) assertUnits('settle', used)
  return used
}

/** Returns what a function returns, and `undefined` in place of an error, which is logged. */
function logErrors<Result>(run: () => Result): Result | Promise<unknown> | undefined {
  const log = (error: unknown): undefined =>
    void console.error('tidegate: settle threw an error:', error)
  try {
    const result = run()
    // A promise may be of another realm, or of a library.
    return typeof result === 'object' ? Promise.resolve(result).catch(log) : result
  } catch (error) {
    return log(error)
  }
}
