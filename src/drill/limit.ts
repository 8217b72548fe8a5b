import { outlastsWindow } from './burst.ts'
import type { DrillContext } from './context.ts'
import { remedyForFewer, remedyForNoLimit } from './limit-remedies.ts'
import { formatQuota, ownQuota } from './own-quota.ts'
import { type Finding, notExamined } from './report.ts'
import { findSpacing, type Spacing } from './spacing.ts'
import { isUnexpected, remedyFor, statusesOf } from './unexpected.ts'

const check = 'limit'

/** Whether as many requests of the burst passed as the limit allows, or the limiter spaces them. */
export async function checkLimit(context: DrillContext): Promise<Finding> {
  const found = findTooMany(context) ?? findUncounted(context)
  if (found !== undefined) return found
  if (context.burst.passed >= context.settings.admitted) return allowed(context)
  const spacing = await findSpacing(context)
  return spacing === undefined ? tooFew(context) : spaced(spacing, context)
}

/** The start of a finding: how many requests passed, and the limit. */
function textsOf({ burst: { answers, passed }, settings }: DrillContext) {
  const { cost } = settings
  const of = `${passed} of ${answers.length} requests passed`
  return {
    of,
    statuses: `${of} (${statusesOf(answers)})`,
    quota: `the limit is ${formatQuota(settings.limit, settings.window / 1000)}${cost > 1 ? `, of which a request takes ${cost}` : ''}`,
  }
}

function findTooMany(context: DrillContext): Finding | undefined {
  const { burst, settings } = context
  const { answers, passed, regained, isTooShort, took } = burst
  const { of, statuses, quota } = textsOf(context)
  if (passed <= settings.admitted) return undefined
  if (outlastsWindow(burst, settings)) {
    return notExamined(
      check,
      `${of}, and took ${Math.ceil(took / 1000)} s. The window of ${settings.window / 1000} s ended meanwhile, so the limit could not be used up`,
      'Run the drill from a place with less latency, or against a policy with a longer window.',
    )
  }
  if (passed === answers.length) {
    const says = `All ${answers.length} requests passed (${statusesOf(answers)}), and ${quota}.`
    return { check, level: 'failure', says, remedy: remedyForNoLimit(burst, settings) }
  }
  if (passed * settings.cost > settings.limit + regained) {
    const [first] = answers
    const hasFields = first !== undefined && ownQuota(first.fields, settings) !== undefined
    return {
      check,
      level: 'failure',
      says: `${statuses}, and ${quota}.`,
      remedy: `Count in one atomic step, in a store that all isolates and servers share.${hasFields ? '' : ' If windows follow the clock, one may have ended during the burst: run the drill again.'}`,
    }
  }
  if (!isTooShort) return undefined
  return notExamined(
    check,
    `${statuses}, and ${quota}. That is right if the limiter gives units back bit by bit, and the window is too short to tell`,
    'Run the drill against a policy with a longer window.',
  )
}

/** If responses are neither a success nor a refusal, the limiter may have counted them or not. */
function findUncounted(context: DrillContext): Finding | undefined {
  const { burst, settings } = context
  const { answers, passed, isUsedBefore } = burst
  const { of, statuses, quota } = textsOf(context)
  const unexpected = answers.filter(isUnexpected).length
  if (passed + unexpected === answers.length) {
    return notExamined(check, `${statuses}, none was refused, and ${quota}`, remedyFor(answers))
  }
  if (passed >= settings.admitted) return undefined
  if (passed + unexpected >= settings.admitted) {
    return notExamined(
      check,
      `${statuses}, and ${quota}. Whether the limiter counted the others is not known`,
      remedyFor(answers),
    )
  }
  if (!isUsedBefore) return undefined
  return notExamined(
    check,
    `${of}, and ${quota}. This client had used its quota before, and its window ends later than --max-wait`,
    'Run the drill again when the window has ended, or raise --max-wait.',
  )
}

function spaced({ interval, atOnce }: Spacing, context: DrillContext): Finding {
  const { limit, window } = context.settings
  const burst = atOnce > 1 ? ` after ${atOnce} at once` : ''
  return {
    check,
    level: 'warning',
    says: `${textsOf(context).statuses}: the limiter spaces requests, one every ${Math.round(interval)} ms${burst}. That is ${formatQuota(limit, window / 1000)} for clients that send evenly, and refuses bursts within the limit.`,
    remedy:
      'If that is meant, tell clients the interval. Otherwise let the limiter admit a burst (nginx: limit_req with burst and nodelay).',
  }
}

function tooFew(context: DrillContext): Finding {
  const { burst, settings } = context
  const { statuses, quota } = textsOf(context)
  return {
    check,
    level: 'failure',
    says: `Only ${statuses}, and ${quota}.`,
    remedy: remedyForFewer(burst, settings),
  }
}

function allowed(context: DrillContext): Finding {
  const { answers, passed, regained } = context.burst
  const { statuses } = textsOf(context)
  const bitByBit =
    passed > context.settings.admitted
      ? ` The limiter gives units back bit by bit: ${regained} during the burst.`
      : ''
  const isBusy = answers.some(({ isRefused, status }) => isRefused && status === 503)
  if (!isBusy) return { check, level: 'ok', says: `${statuses}.${bitByBit}` }
  return {
    check,
    level: 'warning',
    says: `${statuses}.${bitByBit} Refusals have the status 503, which means that the server is out of order.`,
    remedy: 'Let the limiter refuse with 429 (nginx: limit_req_status 429).',
  }
}
