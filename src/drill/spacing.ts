import { costIn } from './burst.ts'
import type { DrillContext } from './context.ts'
import type { Answer } from './session.ts'
import { isUnexpected } from './unexpected.ts'

/** How a limiter spaces requests, as the generic cell rate algorithm (GCRA) does. */
export interface Spacing {
  /** The time between two requests that pass, in ms. */
  readonly interval: number
  /** How many pass at once before that. */
  readonly atOnce: number
}

/** How often a request has to pass after the interval, and one soon after it be refused. */
const ROUNDS = 2

/** How many more may pass right after it: part of a unit may have been left, and time passes. */
const MOST_AT_ONCE = 2

/** Clocks count in whole milliseconds. */
const MARGIN_MS = 10

/**
 * Whether a limiter that lets too few requests pass spaces them: of 10 per 1 s, one every 100 ms.
 * In a fixed window no request would pass so soon, or several in a row. Returns `undefined` if the
 * limiter does not, or if the interval is longer than `maxWait`.
 */
export async function findSpacing({
  burst: { answers, passed, isUsedBefore },
  settings,
  session,
  notify,
}: Omit<DrillContext, 'closed'>): Promise<Spacing | undefined> {
  const interval = (settings.window * settings.cost) / settings.limit
  const isFewer = passed > 0 && passed < settings.admitted && !isUsedBefore
  const isClear = !answers.some(isUnexpected) && costIn(answers, settings) <= settings.cost
  const last = answers.at(-1)
  if (!isFewer || !isClear || last === undefined || interval > settings.maxWait) return undefined
  if (interval >= 1000) {
    notify(
      `waits ${ROUNDS} times ${Math.ceil(interval / 1000)} s, to see whether the limiter spaces requests`,
    )
  }
  /** Sends until a request is refused. Returns `undefined` if too many pass. */
  async function sendUntilRefused(): Promise<Answer | undefined> {
    for (let request = 0; request < MOST_AT_ONCE; request++) {
      const answer = await session.send()
      if (answer.isRefused) return answer
    }
    return undefined
  }
  let refusal = last.isRefused ? last : await sendUntilRefused()
  for (let round = 0; round < ROUNDS && refusal !== undefined; round++) {
    await session.waitUntil(refusal.receivedAt + interval + MARGIN_MS)
    if (!(await session.send()).isPassed) return undefined
    refusal = await sendUntilRefused()
  }
  if (refusal === undefined) return undefined
  const inARow = answers.findIndex(({ isRefused }) => isRefused)
  const took = (answers[inARow]?.sentAt ?? 0) - (answers[0]?.sentAt ?? 0)
  return { interval, atOnce: Math.max(1, inARow - Math.floor(took / interval)) }
}
