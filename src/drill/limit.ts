import { type Burst, costIn, outlastsWindow } from './burst.ts'
import { commonClientError } from './client-errors.ts'
import type { DrillContext } from './context.ts'
import type { Settings } from './options.ts'
import { formatQuota, ownQuota } from './own-quota.ts'
import type { Finding } from './report.ts'

/** Whether as many requests of the burst passed as the limit allows. */
export function checkLimit({ burst, settings }: DrillContext): Finding {
  const check = 'limit'
  const { limit, window } = settings
  const { answers, passed, isUsedBefore, regained, isTooShort, took } = burst
  const [first] = answers
  const of = `${passed} of ${answers.length} requests passed`
  const statuses = statusesOf(burst)
  const quota = `the limit is ${formatQuota(limit, window / 1000)}`

  if (outlastsWindow(burst, settings)) {
    return {
      check,
      level: 'not examined',
      says: `${of}, and took ${Math.ceil(took / 1000)} s. The window of ${window / 1000} s ended meanwhile, so the limit could not be used up.`,
      remedy:
        'Run the drill from a place with less latency, or against a policy with a longer window.',
    }
  }
  if (passed === answers.length) {
    return {
      check,
      level: 'failure',
      says: answers.every(({ status }) => status < 400)
        ? `All ${answers.length} requests passed (${statuses}), and ${quota}.`
        : `No request got 429 (${statuses}), and ${quota}.`,
      remedy: remedyForNoLimit(burst, settings),
    }
  }
  if (passed > limit + regained) {
    const hasFields = first !== undefined && ownQuota(first.fields, settings) !== undefined
    return {
      check,
      level: 'failure',
      says: `${of} (${statuses}), and ${quota}.`,
      remedy: `Count in one atomic step, in a store that all isolates and servers share.${hasFields ? '' : ' If windows follow the clock, one may have ended during the burst: run the drill again.'}`,
    }
  }
  if (passed > limit && isTooShort) {
    return {
      check,
      level: 'not examined',
      says: `${of} (${statuses}), and ${quota}. That is right if the limiter gives units back bit by bit, and the window is too short to tell.`,
      remedy: 'Run the drill against a policy with a longer window.',
    }
  }
  if (passed < limit && isUsedBefore) {
    return {
      check,
      level: 'not examined',
      says: `${of}. Whether the limit is ${limit} was not tried: this client had used its quota before, and its window ends later than --max-wait.`,
    }
  }
  if (passed < limit) {
    return {
      check,
      level: 'failure',
      says: `Only ${of} (${statuses}), and ${quota}.`,
      remedy: remedyForFewer(burst, settings),
    }
  }
  const bitByBit =
    passed > limit ? ` The limiter gives units back bit by bit: ${regained} during the burst.` : ''
  return { check, level: 'ok', says: `${of} (${statuses}).${bitByBit}` }
}

/** `10 × 200, 5 × 429`, in the order of the first of each. */
function statusesOf({ answers }: Burst): string {
  const counts = new Map<number, number>()
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ')
}

function remedyForFewer({ answers }: Burst, settings: Settings): string {
  const cost = costIn(answers, settings)
  const byCost = `RateLimit shows ${cost} units less after each request. If the policy has a cost, that is right; otherwise check that the limiter runs only once for each request.`
  const others =
    'Compare the limit with the configuration of the deployment. If other clients share the address of this machine, run the drill where it has an address of its own.'
  return cost > 1 ? byCost : others
}

function remedyForNoLimit({ answers }: Burst, settings: Settings): string {
  const last = answers.at(-1)
  if (last === undefined) return ''
  const { fields, headers } = last
  if (Number(headers.get('age')) > 0) {
    return 'A cache answers in place of the deployment (the responses have Age). Drill a path that is not cached, or turn the cache off.'
  }
  const error = commonClientError(answers)
  if (error !== undefined) return error.remedy
  const isOther = last.status >= 400 && answers[0]?.status !== last.status
  if (isOther) {
    const nginx = last.status === 503 ? ' (nginx: limit_req_status 429)' : ''
    return `If ${last.status} is the limiter's refusal, let it send 429${nginx}. If it is an error, check the log of the deployment.`
  }
  const { quotas } = fields
  if (quotas.length > 0 && ownQuota(fields, settings) === undefined) {
    const shown = quotas.map(({ limit, window }) => formatQuota(limit, window)).join(', ')
    return `RateLimit-Policy shows other policies (${shown}): no policy of ${formatQuota(settings.limit, settings.window / 1000)} matches ${settings.method} on this path. Correct the policy, or --method and --limit.`
  }
  return `Check that the limiter runs for ${settings.method} on this path, and that all isolates count in one store.`
}
