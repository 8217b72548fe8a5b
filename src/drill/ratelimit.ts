import type { DrillContext } from './context.ts'
import { formatQuota, ownQuota } from './own-quota.ts'
import type { Finding } from './report.ts'
import type { Answer } from './session.ts'

const check = 'ratelimit'

/** Whether `RateLimit` and `RateLimit-Policy` of draft 11 are right. */
export function checkRateLimit({ burst, settings }: DrillContext): Finding {
  const { answers } = burst
  if (answers.some(({ fields }) => fields.isOlderDraft)) return olderDraft
  const fault = answers.map(({ fields }) => fields.faults.get('ratelimit')).find(Boolean)
  if (fault !== undefined) {
    return wrong(
      `${fault[0]?.toUpperCase()}${fault.slice(1)}.`,
      'Send the fields as draft 11 defines them.',
    )
  }
  const present = answers.filter(({ fields }) => fields.quotas.length + fields.states.length > 0)
  if (present.length === 0) {
    return {
      check,
      level: 'warning',
      says: 'No response has RateLimit or RateLimit-Policy (draft 11), so clients cannot slow down in time.',
      remedy: 'Send both fields with every response. Tidegate does so by default.',
    }
  }
  const where = whereMissing(answers, present)
  if (where !== undefined) {
    return {
      check,
      level: 'warning',
      says: `${where} have no RateLimit or RateLimit-Policy, and others have.`,
      remedy: 'Send both fields with every response, also with refusals and errors.',
    }
  }
  const { limit, window } = settings
  const expected = formatQuota(limit, Math.ceil(window / 1000))
  const unknown = answers.find(({ fields }) => ownQuota(fields, settings) === undefined)
  if (unknown !== undefined) {
    const shown = unknown.fields.quotas.map((quota) => formatQuota(quota.limit, quota.window))
    return wrong(
      `RateLimit-Policy shows ${shown.join(', ') || 'no policy'}, and not ${expected}.`,
      'Compare the policy with the configuration of the deployment, and with --limit and --window.',
    )
  }
  const wrongState = findWrongState(burst, settings)
  if (wrongState !== undefined) return wrongState
  const policy = `RateLimit-Policy shows ${expected}.`
  return burst.isTooShort
    ? {
        check,
        level: 'info',
        says: `${policy} The window is too short to see RateLimit count down.`,
      }
    : { check, level: 'ok', says: `${policy} RateLimit counts down to 0, within the window.` }
}

const olderDraft: Finding = {
  check,
  level: 'warning',
  says: 'The fields are those of an older draft, which clients of draft 11 ignore.',
  remedy: 'Send RateLimit and RateLimit-Policy of draft 11. Tidegate does so by default.',
}

const wrong = (says: string, remedy: string): Finding => ({ check, level: 'failure', says, remedy })

function whereMissing(answers: readonly Answer[], present: readonly Answer[]): string | undefined {
  const missing = answers.filter((answer) => !present.includes(answer))
  if (missing.length === 0) return undefined
  if (missing.every(({ isRefused }) => isRefused)) return `${missing.length} refusals`
  if (missing.every(({ isRefused }) => !isRefused)) return `${missing.length} requests that passed`
  return `${missing.length} responses`
}

const REMEDY =
  'Report the count of the store after this request: `r` is what is left, and 0 on a refusal.'

/** Whether `r` counts down to 0 with the requests that pass, and `t` is within the window. */
function findWrongState(
  { answers, regained }: DrillContext['burst'],
  settings: DrillContext['settings'],
): Finding | undefined {
  const windowSeconds = Math.ceil(settings.window / 1000)
  let before: number | undefined
  let isCounting = true
  for (const { fields, isRefused } of answers) {
    const { quota, state } = ownQuota(fields, settings) ?? {}
    if (quota === undefined) continue
    if (state === undefined) {
      return wrong('RateLimit does not have the policy that RateLimit-Policy shows.', REMEDY)
    }
    const { remaining, reset } = state
    if (remaining > quota.limit) {
      return wrong(`RateLimit shows ${remaining} left of ${quota.limit}.`, REMEDY)
    }
    if (reset !== undefined && reset > windowSeconds) {
      return wrong(
        `RateLimit shows t=${reset}, longer than the window of ${windowSeconds} s.`,
        'Report the seconds until the window ends, and not a date.',
      )
    }
    if (!isRefused && before !== undefined && remaining > before - settings.cost + regained) {
      return wrong(
        `RateLimit does not count down${settings.cost > 1 ? ` by ${settings.cost}` : ''}: ${before} were left, and after one more request ${remaining}.`,
        REMEDY,
      )
    }
    const isByOther = fields.states.some((one) => one !== state && one.remaining === 0)
    if (
      isRefused &&
      isCounting &&
      !isByOther &&
      before !== undefined &&
      before >= regained + settings.cost
    ) {
      return wrong(
        `The limit refused a request although RateLimit had shown ${before} left.`,
        REMEDY,
      )
    }
    if (isRefused && fields.states.every((one) => one.remaining >= settings.cost)) {
      return wrong(`A refusal has RateLimit with ${remaining} left.`, REMEDY)
    }
    if (isRefused) isCounting = false
    else before = remaining
  }
  return undefined
}
