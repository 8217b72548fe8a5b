import type { Settings } from './options.ts'
import type { Quota, QuotaState, ResponseFields } from './response-fields.ts'

/** The policy that is drilled, as a response shows it. */
export interface OwnQuota {
  readonly quota: Quota
  /** `undefined` if `RateLimit` does not have the policy. */
  readonly state: QuotaState | undefined
}

/** Finds the policy with the limit and the window of the settings. */
export function ownQuota(
  { quotas, states }: ResponseFields,
  { limit, window }: Pick<Settings, 'limit' | 'window'>,
): OwnQuota | undefined {
  const seconds = Math.ceil(window / 1000)
  const quota = quotas.find(
    (one) => one.limit === limit && (one.window === undefined || one.window === seconds),
  )
  return quota && { quota, state: states.find(({ name }) => name === quota.name) }
}

/** `10 per 60 s`, as findings name a quota. */
export const formatQuota = (limit: number, seconds: number | undefined) =>
  seconds === undefined ? `${limit}` : `${limit} per ${seconds} s`
