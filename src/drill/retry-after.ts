import { waitAfter } from './burst.ts'
import type { DrillContext } from './context.ts'
import { type Finding, notExamined } from './report.ts'
import type { Answer } from './session.ts'
import { isUnexpected } from './unexpected.ts'

const check = 'retry-after'

/** What the check found, and whether the next window has begun, with which answer. */
export interface RetryAfterResult {
  readonly finding: Finding
  /** The first request that passed after the refusals; `undefined` if none did. */
  readonly reopened?: Answer | undefined
}

/** A shorter wait is not tested for being too long: fields count in whole seconds. */
const MIN_TESTED_S = 4

/** How far a promise may move, since it is rounded to seconds. */
const TOLERANCE_MS = 1500

/** Whether a request passes after the time in `Retry-After`, and not long before it. */
export async function checkRetryAfter(context: DrillContext): Promise<RetryAfterResult> {
  const { settings, session, closed, notify } = context
  if (closed.lastRefusal() === undefined) return unknown('No request was refused')
  const early = closed.earlyPass()
  if (early !== undefined) {
    return failure(
      `A request passed ${formatSeconds(early.after)} after a refusal with Retry-After: ${early.promised / 1000}.`,
      'Check whether the count is lost (a restart, an eviction, isolates that count alone), or whether Retry-After is always the whole window.',
    )
  }
  await closed.isStillClosed()
  const lost = closed.lostBecause()
  if (lost !== undefined) return unknown(`${lost[0]?.toUpperCase()}${lost.slice(1)}`)
  const refusal = closed.lastRefusal()
  const fault = refusal?.fields.faults.get('retry-after')
  if (fault !== undefined) return failure(`${fault}.`, REMEDY)
  const seconds = refusal?.fields.retryAfter
  if (refusal === undefined) return unknown('No request was refused')
  if (seconds === undefined)
    return { finding: missing, reopened: await waitForEnd(refusal, context) }
  if (seconds === 0) return failure('A refusal has Retry-After: 0.', REMEDY)
  if (seconds * 1000 > settings.maxWait) {
    if (seconds * 1000 > settings.window + TOLERANCE_MS) return checkEnd(refusal, seconds, context)
    return unknown(`Retry-After is ${seconds} s, longer than --max-wait`, 'Raise --max-wait.')
  }
  notify(`waits ${seconds} s, as Retry-After says`)
  return comeBack(refusal, seconds, context, session.clock())
}

const missing: Finding = {
  check,
  level: 'warning',
  says: 'Refusals have no Retry-After, so clients do not know when to come back.',
  remedy: 'Send Retry-After with each refusal: the seconds until the window ends, rounded up.',
}

/** Waits for the end of the window, unless that takes longer than `maxWait`. */
async function waitForEnd(refusal: Answer, context: DrillContext): Promise<Answer | undefined> {
  const { settings, session, notify } = context
  const ms = waitAfter(refusal, context)
  if (ms > settings.maxWait) return undefined
  notify(`waits ${Math.ceil(ms / 1000)} s for the next window`)
  await session.waitUntil(refusal.receivedAt + ms)
  const answer = await session.send()
  return answer.isPassed ? answer : undefined
}

/**
 * A wait that is longer than the window is false. Shows that at the end of the window, unless that
 * is later than `maxWait`.
 */
async function checkEnd(
  refusal: Answer,
  seconds: number,
  { settings, session, notify }: DrillContext,
): Promise<RetryAfterResult> {
  const { window, maxWait } = settings
  const says = `Retry-After was ${seconds}, longer than the window of ${window / 1000} s`
  if (window > maxWait) return failure(`${says}.`, COUNT_DOWN)
  notify(`waits ${Math.ceil(window / 1000)} s, since Retry-After is longer than the window`)
  await session.waitUntil(refusal.receivedAt + window)
  const answer = await session.send()
  if (answer.isRefused) {
    return failure(
      `${says}, and the request at the end of the window was refused.`,
      'If the limiter bans clients after a refusal, raise --max-wait to check the end of the ban. Otherwise take Retry-After from the end of the window.',
    )
  }
  if (isUnexpected(answer)) return failure(`${says}.`, COUNT_DOWN)
  const after = formatSeconds(answer.sentAt - refusal.receivedAt)
  return {
    ...failure(`${says}, and a request passed after ${after} already.`, COUNT_DOWN),
    reopened: answer,
  }
}

/** Sends two requests before the time, if there is enough, and one after it. */
async function comeBack(
  refusal: Answer,
  seconds: number,
  { session }: DrillContext,
  now: number,
): Promise<RetryAfterResult> {
  const start = refusal.receivedAt
  const end = start + seconds * 1000
  let moved = 0
  const early = seconds < MIN_TESTED_S ? [] : [start + (end - start) / 2, end - 2000]
  for (const time of early) {
    if (time < now) continue
    await session.waitUntil(time)
    const answer = await session.send()
    if (isUnexpected(answer)) return unexpected(answer, 'before')
    if (answer.isPassed) {
      const after = formatSeconds(answer.sentAt - start)
      return {
        ...failure(
          `Retry-After was ${seconds}, and a request passed after ${after} already.`,
          COUNT_DOWN,
        ),
        reopened: answer,
      }
    }
    const promised = answer.receivedAt + 1000 * (answer.fields.retryAfter ?? seconds)
    moved = Math.max(moved, promised - end)
  }
  await session.waitUntil(end)
  const back = await session.send()
  if (isUnexpected(back)) return unexpected(back, 'after')
  if (back.isRefused) {
    const again = back.fields.retryAfter
    return failure(
      `A request ${formatSeconds(back.sentAt - start)} after a refusal with Retry-After: ${seconds} was refused again${again === undefined ? '' : `, with Retry-After: ${again}`}.`,
      moved > TOLERANCE_MS
        ? 'Refused requests must not move the end of the window, and Retry-After must count down to it.'
        : 'Take Retry-After from the store’s answer: the time until the same request could pass, rounded up.',
    )
  }
  if (moved > TOLERANCE_MS) {
    return {
      ...failure(
        `Retry-After did not count down: it was ${seconds}, and later refusals promised a time ${formatSeconds(moved)} later. Yet a request passed after ${seconds} s.`,
        COUNT_DOWN,
      ),
      reopened: back,
    }
  }
  return {
    finding: {
      check,
      level: 'ok',
      says: `Retry-After was ${seconds}, and a request passed after that time, not before.`,
    },
    reopened: back,
  }
}

const REMEDY = missing.remedy
const COUNT_DOWN = 'Take Retry-After from the end of the window, and not from its length.'

const unknown = (why: string, remedy?: string): RetryAfterResult => ({
  finding: notExamined(check, why, remedy),
})

const failure = (says: string, remedy: string | undefined): RetryAfterResult => ({
  finding: { check, level: 'failure', says, remedy },
})

const unexpected = ({ status }: Answer, when: 'before' | 'after') =>
  unknown(
    `A request ${when} the time in Retry-After got ${status}, neither a success nor a refusal`,
    'Check whether a firewall or a ban answers, and the log of the deployment.',
  )

const formatSeconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
