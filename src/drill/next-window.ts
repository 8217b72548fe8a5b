import type { DrillContext } from './context.ts'
import { type Finding, notExamined } from './report.ts'
import type { Answer } from './session.ts'
import { isUnexpected } from './unexpected.ts'

const check = 'next-window'

/**
 * Whether the limit holds again after the window has ended.
 *
 * @param reopened the first request that passed after the refusals
 */
export async function checkNextWindow(
  { settings: { limit, cost, admitted, window }, session, burst }: DrillContext,
  reopened: Answer | undefined,
): Promise<Finding> {
  if (reopened === undefined) {
    return notExamined(check, 'No request passed after the refusals')
  }
  /** A limiter that gives units back bit by bit refuses later, as in the burst. */
  const most = () => {
    const units = ((session.clock() - reopened.sentAt) * limit) / window
    const isBitByBit = burst.isTooShort || burst.regained > 0
    return admitted + (isBitByBit ? Math.min(Math.floor(units / cost), admitted) : 0)
  }
  let passed = 1
  for (; passed <= most(); passed++) {
    const answer = await session.send()
    if (answer.isPassed) continue
    if (isUnexpected(answer)) {
      return notExamined(
        check,
        `A request of the next window got ${answer.status}, neither a success nor a refusal`,
      )
    }
    return {
      check,
      level: 'ok',
      says:
        passed === admitted || passed === burst.passed
          ? `The limit holds again: ${passed} passed in the next window.`
          : `The limit holds again: ${passed} passed, since the limiter gives units back bit by bit.`,
    }
  }
  if (session.clock() - reopened.sentAt >= window) {
    return notExamined(check, 'Not clear, because the window ended meanwhile')
  }
  return {
    check,
    level: 'failure',
    says: `In the next window ${passed} requests passed, and none was refused.`,
    remedy: 'Check that the count starts again when a window ends, with an expiry.',
  }
}
