import type { DrillContext } from './context.ts'
import type { Finding } from './report.ts'
import type { Answer } from './session.ts'

const check = 'next-window'

/**
 * Whether the limit holds again after the window has ended.
 *
 * @param reopened the first request that passed after the refusals
 */
export async function checkNextWindow(
  { settings: { limit }, session }: DrillContext,
  reopened: Answer | undefined,
): Promise<Finding> {
  if (reopened === undefined) {
    return { check, level: 'info', says: 'Not tried: no request passed after the refusals.' }
  }
  for (let passed = 1; passed <= limit; passed++) {
    const answer = await session.send()
    if (!answer.isRefused) continue
    return {
      check,
      level: 'ok',
      says:
        passed === limit
          ? `The limit holds again: ${limit} passed in the next window.`
          : `The limit holds again: ${passed} passed, since the limiter gives units back bit by bit.`,
    }
  }
  return {
    check,
    level: 'failure',
    says: `In the next window ${limit + 1} requests passed, and none was refused.`,
    remedy: 'Check that the count starts again when a window ends, with an expiry.',
  }
}
