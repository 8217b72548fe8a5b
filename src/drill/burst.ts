import type { Settings } from './options.ts'
import { ownQuota } from './own-quota.ts'
import { burstLength } from './plan.ts'
import type { Answer, Session } from './session.ts'

/** The requests that use up the limit, one after another. */
export interface Burst {
  /** The answers to the requests of one window. */
  readonly answers: readonly Answer[]
  /** How many of them had the success of the route. */
  readonly passed: number
  /** Whether the window had begun before, and could not be awaited. */
  readonly isUsedBefore: boolean
  /** From the first request to the last response, in ms. */
  readonly took: number
  /**
   * How many units a limiter may have given back during the burst, such as a token bucket. 0 for a
   * limiter that gives back all units at the end of a window.
   */
  readonly regained: number
  /**
   * Whether the window was too short to tell a limiter that gives units back bit by bit from others.
   * Then `regained` is what the former would have given back.
   */
  readonly isTooShort: boolean
}

/** What is there before the first request. */
export interface BurstContext {
  readonly settings: Settings
  readonly session: Session
  /** Announces a wait before it begins. */
  readonly notify: (text: string) => void
}

/**
 * Sends the burst. If the quota was used before, waits once for a fresh window, at most `maxWait`.
 * If a window ends during the burst, starts to count again, once.
 */
export async function runBurst(context: BurstContext): Promise<Burst> {
  const { settings, session } = context
  let answers: Answer[] = []
  let isUsedBefore = false
  let hasWaited = false
  let hasRestarted = false
  while (!isComplete(answers, settings)) {
    const answer = await session.send()
    const previous = answers.at(-1)
    if (previous && !hasRestarted && isNewWindow(answer, previous, context)) {
      hasRestarted = true
      answers = []
    }
    answers.push(answer)
    if (answers.length === 1 && isRedirect(answer)) break
    const isUsed = isPartlyUsed(answers, settings)
    if (isUsed && !hasWaited) {
      hasWaited = true
      isUsedBefore = !(await waitForWindow(answer, context))
      if (!isUsedBefore) answers = []
    }
  }
  // A 503 before the first 429 was no refusal.
  const isLimiter429 = answers.some(({ status }) => status === 429)
  answers = answers.map((answer) =>
    isLimiter429 && answer.status === 503 ? { ...answer, isRefused: false } : answer,
  )
  const passed = answers.filter(({ isPassed }) => isPassed).length
  const took = durationOf(answers)
  return { answers, passed, isUsedBefore, took, ...regainedIn(answers, settings) }
}

/** Whether windows end before the requests of a burst have used them up. */
export const outlastsWindow = ({ passed, took }: Burst, { admitted, window }: Settings) =>
  passed > admitted && took >= window

/**
 * A limiter that gives back units bit by bit refuses later. So a burst without a refusal goes on
 * for as many requests as it may have given back.
 */
function isComplete(answers: readonly Answer[], settings: Settings): boolean {
  const least = burstLength(settings.admitted)
  if (answers.length < least) return false
  if (answers.some(({ isRefused }) => isRefused)) return true
  const regained = Math.floor(steadyUnits(answers, settings) / settings.cost)
  return answers.length >= Math.min(least + regained, 2 * least)
}

/** How many units the rate of the limit gives back in the time of the answers. */
function steadyUnits(answers: readonly Answer[], { limit, window }: Settings): number {
  return Math.floor((durationOf(answers) * limit) / window)
}

const durationOf = (answers: readonly Answer[]) =>
  (answers.at(-1)?.receivedAt ?? 0) - (answers[0]?.sentAt ?? 0)

/**
 * The refusals of a limiter that gives back units bit by bit promise the next unit, which is sooner
 * than the end of the window.
 */
function regainedIn(
  answers: readonly Answer[],
  settings: Settings,
): Pick<Burst, 'regained' | 'isTooShort'> {
  const regained = steadyUnits(answers, settings)
  const nothing = { regained: 0, isTooShort: false }
  if (regained === 0) return nothing
  if (durationOf(answers) >= settings.window) return { regained, isTooShort: true }
  const first = answers[0]?.sentAt ?? 0
  const refusal = answers.find(({ isRefused }) => isRefused)
  const seconds = refusal?.fields.retryAfter
  if (refusal === undefined || seconds === undefined) return nothing
  const windowLeft = first + settings.window - refusal.receivedAt
  // `Retry-After` is rounded up to seconds, so near the end of the window it tells nothing.
  if (windowLeft <= TOLERANCE_MS) return { regained, isTooShort: true }
  const isNextUnit = (seconds - 1) * 1000 < windowLeft / 2
  return isNextUnit ? { regained, isTooShort: false } : nothing
}

/** Whether the drill cannot count these answers: a redirect leads to another URL. */
export const isRedirect = ({ status, isPassed }: Answer) =>
  status >= 300 && status < 400 && !isPassed

/** The time until the window of an answer ends, in ms. The whole window if no field shows it. */
export function waitAfter(answer: Answer, { settings }: Pick<BurstContext, 'settings'>): number {
  const { retryAfter, x } = answer.fields
  const seconds = retryAfter ?? ownQuota(answer.fields, settings)?.state?.reset ?? x?.reset
  return seconds === undefined ? settings.window : seconds * 1000
}

/**
 * How many units a request costs by `RateLimit`: the least difference between two requests that
 * passed, since other clients may count too. 1 if that is not known.
 */
export function costIn(answers: readonly Answer[], settings: Settings): number {
  const left = answers.flatMap(({ isRefused, fields }) => {
    const remaining = isRefused ? undefined : ownQuota(fields, settings)?.state?.remaining
    return remaining === undefined ? [] : [remaining]
  })
  const costs = left.slice(1).map((remaining, at) => (left[at] ?? 0) - remaining)
  return costs.length === 0 ? 1 : Math.max(1, Math.min(...costs))
}

/**
 * Whether the first request of the burst was not the first of its window. The second request shows
 * whether the first found fewer units, or cost more than one.
 */
function isPartlyUsed(answers: readonly Answer[], settings: Settings): boolean {
  const [first] = answers
  if (first === undefined || answers.length > 2) return false
  if (answers.length === 1) return first.isRefused
  const remaining = ownQuota(first.fields, settings)?.state?.remaining
  return (
    remaining !== undefined &&
    remaining < settings.limit - Math.max(settings.cost, costIn(answers, settings))
  )
}

/** Waits for the end of the window. Returns `false` if that would take longer than `maxWait`. */
async function waitForWindow(answer: Answer, context: BurstContext): Promise<boolean> {
  const { settings, session, notify } = context
  const ms = waitAfter(answer, context)
  if (ms > settings.maxWait) return false
  notify(`this client used the quota before. Waits ${Math.ceil(ms / 1000)} s for a fresh window`)
  await session.waitUntil(answer.receivedAt + ms)
  return true
}

/** How far the end of one window may seem to move, since fields count in whole seconds. */
const TOLERANCE_MS = 1500

/** Whether a window ended between two answers: as many units are left as after its first request. */
function isNewWindow(answer: Answer, previous: Answer, { settings }: BurstContext): boolean {
  const state = ownQuota(answer.fields, settings)?.state
  const before = ownQuota(previous.fields, settings)?.state
  if (state === undefined || before === undefined || answer.isRefused) return false
  const endOf = (at: number, seconds = 0) => at + seconds * 1000
  const end = endOf(answer.receivedAt, state.reset)
  const hasNewEnd = end > endOf(previous.receivedAt, before.reset) + TOLERANCE_MS
  return (
    hasNewEnd &&
    state.remaining === settings.limit - settings.cost &&
    before.remaining < state.remaining
  )
}
