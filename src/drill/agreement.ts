import type { DrillContext } from './context.ts'
import type { Finding } from './report.ts'
import type { QuotaState, ResponseFields } from './response-fields.ts'
import type { Answer } from './session.ts'

const check = 'agreement'

/** Fields are rounded to seconds, and may be read from the clock one after another. */
const TOLERANCE_S = 1

/** Whether the fields of each response agree with one another. */
export function checkAgreement({ burst: { answers } }: DrillContext): Finding {
  const contradiction = answers.map(findContradiction).find((text) => text !== undefined)
  if (contradiction !== undefined) {
    return {
      check,
      level: 'failure',
      says: contradiction,
      remedy:
        'Write all fields from one decision. If two limiters run, check which of them writes each field.',
    }
  }
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

function findContradiction({ fields, isRefused }: Answer): string | undefined {
  return compareWithX(fields) ?? (isRefused ? compareWithRetryAfter(fields) : undefined)
}

/** `X-RateLimit-*` has to be one of the policies in `RateLimit`. */
function compareWithX({ quotas, states, x }: ResponseFields): string | undefined {
  if (x === undefined || states.length === 0) return undefined
  const limitOf = (state: QuotaState) => quotas.find(({ name }) => name === state.name)?.limit
  const ofLimit = states.filter((state) => x.limit === undefined || limitOf(state) === x.limit)
  if (ofLimit.length === 0) {
    return `X-RateLimit-Limit is ${x.limit}, and RateLimit-Policy shows ${quotas.map(({ limit }) => limit).join(', ')}.`
  }
  const ofRemaining = ofLimit.filter(
    ({ remaining }) => x.remaining === undefined || remaining === x.remaining,
  )
  if (ofRemaining.length === 0) {
    return `X-RateLimit-Remaining is ${x.remaining}, and RateLimit shows ${ofLimit.map(({ remaining }) => remaining).join(', ')} left.`
  }
  const { reset } = x
  const isNear = ({ reset: t }: QuotaState) =>
    reset === undefined || t === undefined || Math.abs(t - reset) <= TOLERANCE_S
  if (ofRemaining.some(isNear)) return undefined
  return `X-RateLimit-Reset is ${reset} s from now, and RateLimit shows t=${ofRemaining[0]?.reset}.`
}

/**
 * `Retry-After` should not be earlier than the end of the effective window of the draft. If it is
 * later, clients that follow the one field come back too early for the other.
 */
function compareWithRetryAfter({ states, x, retryAfter }: ResponseFields): string | undefined {
  if (retryAfter === undefined) return undefined
  const resets = states.flatMap(({ remaining, reset }) =>
    remaining === 0 && reset !== undefined ? [reset] : [],
  )
  const latest = resets.length > 0 ? Math.max(...resets) : undefined
  if (latest !== undefined && Math.abs(latest - retryAfter) > TOLERANCE_S) {
    return `Retry-After is ${retryAfter}, and RateLimit shows t=${latest}.`
  }
  if (
    latest === undefined &&
    x?.reset !== undefined &&
    Math.abs(x.reset - retryAfter) > TOLERANCE_S
  ) {
    return `Retry-After is ${retryAfter}, and X-RateLimit-Reset is ${x.reset} s from now.`
  }
  return undefined
}
