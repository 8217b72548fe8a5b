import type { DrillContext } from './context.ts'
import type { Finding } from './report.ts'

/** Whether `X-RateLimit-*` is right, if the deployment sends it. */
export function checkXRateLimit({ burst, settings }: DrillContext): Finding {
  const { answers, regained, isTooShort } = burst
  const check = 'x-ratelimit'
  const wrong = (says: string): Finding => ({
    check,
    level: 'failure',
    says,
    remedy:
      'Report limit, units left and seconds until the reset as whole numbers, or leave the fields out.',
  })
  const sent = answers.filter(({ fields }) => fields.x !== undefined)
  if (sent.length === 0) {
    return { check, level: 'ok', says: 'X-RateLimit-* is not sent. It is optional.' }
  }
  const fault = sent.map(({ fields }) => fields.faults.get('x-ratelimit')).find(Boolean)
  if (fault !== undefined) return wrong(`${fault}.`)

  let before: number | undefined
  for (const { fields, isRefused } of sent) {
    const { limit, remaining, reset } = fields.x ?? {}
    // Of several policies, the tightest is shown.
    if (limit !== undefined && fields.quotas.length < 2 && limit !== settings.limit) {
      return wrong(`X-RateLimit-Limit is ${limit}, and the limit is ${settings.limit}.`)
    }
    if (limit !== undefined && remaining !== undefined && remaining > limit) {
      return wrong(`X-RateLimit-Remaining is ${remaining}, more than the limit of ${limit}.`)
    }
    if (isRefused && remaining !== undefined && remaining >= settings.cost) {
      return wrong(`A refusal has X-RateLimit-Remaining: ${remaining}.`)
    }
    if (
      !isRefused &&
      remaining !== undefined &&
      before !== undefined &&
      remaining > before - settings.cost + regained
    ) {
      return wrong(
        `X-RateLimit-Remaining does not count down${settings.cost > 1 ? ` by ${settings.cost}` : ''}: ${before}, and after one more request ${remaining}.`,
      )
    }
    if (reset !== undefined && reset < 0) {
      return wrong(`X-RateLimit-Reset is ${-reset} s in the past.`)
    }
    before = remaining
  }
  return isTooShort
    ? { check, level: 'info', says: 'The window is too short to see X-RateLimit-* count down.' }
    : { check, level: 'ok', says: 'X-RateLimit-* shows the limit, and counts down.' }
}
