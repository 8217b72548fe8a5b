import type { DrillContext } from './context.ts'
import type { Finding } from './report.ts'
import type { QuotaState, ResponseFields } from './response-fields.ts'
import type { Answer } from './session.ts'

const check = 'agreement'

/** Fields are rounded to seconds, and may be read from the clock one after another. */
const TOLERANCE_S = 1

/** Whether the fields of each response agree with one another. */
export function checkAgreement({ burst: { answers }, settings }: DrillContext): Finding {
  const windowSeconds = Math.ceil(settings.window / 1000)
  const differences = answers.flatMap(
    (answer) => findDifference(answer, windowSeconds, settings.cost) ?? [],
  )
  const levels = ['failure', 'warning', 'info'] as const
  const worst = levels.flatMap((level) => differences.find((one) => one.level === level) ?? [])[0]
  if (worst !== undefined) return worst
  const kinds = [
    answers.some(({ fields }) => fields.states.length > 0) && 'RateLimit',
    answers.some(({ fields }) => fields.x !== undefined) && 'X-RateLimit-*',
    answers.some(({ fields }) => fields.retryAfter !== undefined) && 'Retry-After',
  ].filter((kind) => kind !== false)
  if (kinds.length < 2) {
    return { check, level: 'info', says: 'Not tried: there are no two fields to compare.' }
  }
  return { check, level: 'ok', says: `${kinds.join(', ')} agree in all responses.` }
}

function findDifference(
  { fields, isRefused }: Answer,
  window: number,
  cost: number,
): Finding | undefined {
  const byX = compareWithX(fields, window)
  if (!isRefused || byX?.level === 'failure') return byX
  return compareWithRetryAfter(fields, window, cost) ?? byX
}

/** `X-RateLimit-*` has to be one of the policies in `RateLimit`. */
function compareWithX({ quotas, states, x }: ResponseFields, window: number): Finding | undefined {
  if (x === undefined || states.length === 0) return undefined
  const limitOf = (state: QuotaState) => quotas.find(({ name }) => name === state.name)?.limit
  const ofLimit = states.filter((state) => x.limit === undefined || limitOf(state) === x.limit)
  if (ofLimit.length === 0) {
    return contradiction(
      `X-RateLimit-Limit is ${x.limit}, and RateLimit-Policy shows ${quotas.map(({ limit }) => limit).join(', ')}.`,
    )
  }
  const ofRemaining = ofLimit.filter(
    ({ remaining }) => x.remaining === undefined || remaining === x.remaining,
  )
  if (ofRemaining.length === 0) {
    return contradiction(
      `X-RateLimit-Remaining is ${x.remaining}, and RateLimit shows ${ofLimit.map(({ remaining }) => remaining).join(', ')} left.`,
    )
  }
  const { reset } = x
  const isNear = ({ reset: t }: QuotaState) =>
    reset === undefined || t === undefined || Math.abs(t - reset) <= TOLERANCE_S
  const t = ofRemaining[0]?.reset
  if (ofRemaining.some(isNear) || reset === undefined || t === undefined) return undefined
  return compareReset(reset, t, 'RateLimit shows t=', window)
}

/**
 * `Retry-After` should not be earlier than the end of the effective window of the draft. If it is
 * later, clients that follow the one field come back too early for the other.
 */
function compareWithRetryAfter(
  { states, x, retryAfter }: ResponseFields,
  window: number,
  cost: number,
): Finding | undefined {
  if (retryAfter === undefined) return undefined
  const resets = states.flatMap(({ remaining, reset }) =>
    remaining < cost && reset !== undefined ? [reset] : [],
  )
  const latest = resets.length > 0 ? Math.max(...resets) : undefined
  if (latest === undefined) {
    return x?.reset === undefined
      ? undefined
      : compareReset(x.reset, retryAfter, 'Retry-After is ', window)
  }
  if (Math.abs(latest - retryAfter) <= TOLERANCE_S) return undefined
  const says = `Retry-After is ${retryAfter}, and RateLimit shows t=${latest}.`
  if (retryAfter > latest || latest > window + TOLERANCE_S) return contradiction(says)
  return {
    check,
    level: 'warning',
    says,
    remedy:
      'By draft 11, Retry-After should not be earlier than t. If units come back bit by bit, report as t the time until the next unit, and not until all are back.',
  }
}

/**
 * `X-RateLimit-Reset` has no standard. Many limiters that give units back bit by bit send the time
 * until all units are back, which is at most the window.
 */
function compareReset(reset: number, other: number, name: string, window: number) {
  const says = `X-RateLimit-Reset is ${reset} s from now, and ${name}${other}.`
  if (Math.abs(reset - other) <= TOLERANCE_S) return undefined
  if (reset < other || reset > window + TOLERANCE_S) return contradiction(says)
  return {
    check,
    level: 'info',
    says: `${says} Both are right if X-RateLimit-Reset is the time until all units are back.`,
  } as const
}

const contradiction = (says: string): Finding => ({
  check,
  level: 'failure',
  says,
  remedy:
    'Write all fields from one decision. If two limiters run, check which of them writes each field.',
})
