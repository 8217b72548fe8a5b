import type { DrillContext } from './context.ts'
import { mediaTypeOf } from './problem.ts'
import type { Check, Outcome, TriedVariant } from './report.ts'
import type { Answer, Difference } from './session.ts'

/** One way in which a client may differ, to get a quota of its own. */
export interface Variant {
  /** As findings name it, such as `X-Forwarded-For`. */
  readonly name: string
  /** The difference of each attempt, from 0. It changes, so that each attempt may be a new client. */
  readonly at: (attempt: number) => Difference
}

/** How often to try a variant anew whose result is not clear. */
const MAX_ROUNDS = 3

/** How often a variant has to pass. It may have a quota of its own, of the same limit. */
const PASSES = 3

/** Sends a variant while plain requests are refused. */
export async function tryVariant(
  check: Check,
  variant: Variant,
  context: DrillContext,
): Promise<TriedVariant> {
  let tried: TriedVariant = { check, variant: variant.name, outcome: 'unclear', status: 0 }
  let attempt = 0
  for (let round = 0; round < MAX_ROUNDS && context.closed.lostBecause() === undefined; round++) {
    if (round > 0) await context.closed.spendUnit()
    const { outcome, status } = await runRound(variant, context, () => attempt++)
    tried = { ...tried, outcome, status }
    if (outcome !== 'unclear' && outcome !== 'failed') break
  }
  return tried
}

/**
 * The window may end at any time, and some limiters give back units bit by bit. So a variant has
 * evaded the limit only if a plain request is refused right after it passed, it passes twice more
 * in a row, and a plain request is refused after that.
 */
async function runRound(
  { at }: Variant,
  { session, closed, burst, settings }: DrillContext,
  nextAttempt: () => number,
): Promise<{ readonly outcome: Outcome; readonly status: number }> {
  const needed = Math.min(PASSES, settings.admitted)
  let status = 0
  for (let passed = 0; passed < needed; passed++) {
    const difference = at(nextAttempt())
    const answer = await session.sendVariant(difference)
    if (answer === undefined) {
      // Throws if the deployment is gone.
      await closed.isStillClosed()
      return { outcome: 'elsewhere', status: 0 }
    }
    status = answer.status
    if (answer.isRefused) return { outcome: passed === 0 ? 'shared' : 'unclear', status }
    if (!reachesHandler(answer, burst.answers, difference)) {
      if (status < 500) return { outcome: 'elsewhere', status }
      await closed.isStillClosed()
      return { outcome: 'failed', status }
    }
    // With a limit of 1, a variant that opens the next window uses that up too.
    const isUncertain = settings.admitted === 1 && closed.isDue()
    if (passed === 0 && (!(await closed.isStillClosed()) || isUncertain)) {
      return { outcome: 'unclear', status }
    }
  }
  const isClosed = needed === 1 || (await closed.isStillClosed())
  return { outcome: isClosed ? 'evaded' : 'unclear', status }
}

/** Whether an answer comes from the handler that answered the plain requests. */
function reachesHandler(answer: Answer, burst: readonly Answer[], { method }: Difference): boolean {
  const plain = burst.find(({ isPassed }) => isPassed)
  const isAlike = answer.isPassed || (answer.status >= 200 && answer.status < 300)
  if (plain === undefined) return isAlike
  // A page for unknown paths may have 200 too. Responses to OPTIONS often have no type.
  return isAlike && (method !== undefined || mediaTypeOf(answer) === mediaTypeOf(plain))
}
