import { APICallError, type LanguageModelUsage } from 'ai'
import type { Decision, Limiter } from 'tidegate'

/** Keeps work alive after the response: `ctx.waitUntil` of Workers, `waitUntil` of Vercel. */
export type WaitUntil = (work: Promise<unknown>) => void

/**
 * Returns the callbacks for `streamText` that settle reserved tokens to the usage that the model
 * reports. A call that is cut off reports nothing for its last step: then no less is settled than
 * was reserved.
 */
export function settleUsage(
  budget: Limiter,
  decision: Decision,
  reserved: number,
  waitUntil?: WaitUntil,
) {
  let used = 0
  let isReported = true
  let isSettled = false

  function settle(isComplete: boolean): void {
    if (isSettled) return
    isSettled = true
    const tokens = isComplete && isReported ? used : Math.max(used, reserved)
    // Not awaited: the end of the stream does not wait for the store.
    budget.settle(decision, tokens, { waitUntil })
  }

  function fail({ error }: { error?: unknown }): void {
    if (!isSettled) console.error(error)
    // A provider that refuses a request with a status has generated nothing.
    settle(APICallError.isInstance(error) && (error.statusCode ?? 200) >= 400)
  }

  return {
    onStepEnd({ usage }: { usage: LanguageModelUsage }) {
      isReported &&= usage.totalTokens !== undefined
      used += usage.totalTokens ?? 0
    },
    onEnd: () => settle(true),
    onAbort: () => settle(false),
    onError: fail,
    // A connection that breaks is an error of the step alone.
    onStepError: fail,
  }
}
