import type { Clock, Timer } from '../clock.ts'
import type { Decision } from './decision.ts'

/** The callers that wait for units of the same client, in the order in which they came. */
interface Queue {
  readonly callers: Caller[]
  /** When the first caller may ask again, by the clock. */
  askAt: number
}

interface Caller {
  /** When the caller wakes up next, or its question has ended. */
  awakeAt: number
}

/** In ms: how long after the caller before it a caller wakes up. */
const STEP_MS = 5

/** How many callers wake up one after another. Those behind them wake up with the last. */
const MAX_STEPS = 20

/**
 * In ms: a caller that is so much too late has ended. On Workers a request may end, and with it its
 * timers.
 */
const LOST_MS = 2000

/**
 * Returns a function that takes units for its callers in turn. Of the callers with the same key only
 * the first one asks, at the times that the answers tell. The others wake up by
 * timers of their own: on Workers one request cannot wake another.
 */
export function waitingRoom(clock: Clock, timer: Timer) {
  const queues = new Map<string, Queue>()

  /** Takes units until they are granted, or `end` has come. */
  return async (key: string, end: number, take: () => Promise<Decision>): Promise<Decision> => {
    const queue = queues.get(key) ?? { callers: [], askAt: Number.NEGATIVE_INFINITY }
    queues.set(key, queue)
    const caller: Caller = { awakeAt: clock() }
    queue.callers.push(caller)
    try {
      for (;;) {
        const now = clock()
        removeLost(queue, caller, now)
        const position = queue.callers.indexOf(caller)
        if (position === 0 && now >= queue.askAt) {
          caller.awakeAt = now + LOST_MS
          const decision = await take()
          if (decision.allowed || decision.retryIn === 0) return decision
          queue.askAt = clock() + decision.retryIn
          if (queue.askAt > end) return decision
          continue
        }
        const step = STEP_MS * Math.min(position, MAX_STEPS)
        caller.awakeAt = Math.max(queue.askAt, now) + step
        // The caller gets a decision of the store, and not a guess.
        if (caller.awakeAt > end) return take()
        await new Promise<void>((resolve) => timer(caller.awakeAt - now, resolve))
      }
    } finally {
      const position = queue.callers.indexOf(caller)
      if (position >= 0) queue.callers.splice(position, 1)
      if (queue.callers.length === 0) queues.delete(key)
    }
  }
}

/** Removes callers before this one that did not wake up. */
function removeLost({ callers }: Queue, caller: Caller, now: number): void {
  while (callers[0] && callers[0] !== caller && callers[0].awakeAt + LOST_MS < now) callers.shift()
}
