import { StoreError } from '../errors.ts'

/**
 * Whether a store that has failed is asked again. While it is open, requests are decided in this
 * isolate at once, and now and then one of them probes the store.
 */
export interface Breaker {
  /** When the outage began; `undefined` while the store is asked. */
  openedAt: number | undefined
  /** When the next probe may be sent. */
  probeAt: number
  /** When the probe was sent that is on its way. */
  probeSentAt: number | undefined
  /** How many answers have come. */
  answers: number
  /** Why it opened. */
  error: unknown
  /** Whether only a granted unit ends the outage: the server answers, and rejects writes. */
  needsWrite: boolean
}

/** The next probe waits for a tenth of the outage so far, within these bounds, and ±20 %. */
const PAUSE_SHARE = 1 / 10
const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000
const JITTER = 0.2

/** An error of a custom store. */
const UNKNOWN = { code: 'unreachable', scope: 'store' } as const

export const newBreaker = (): Breaker => ({
  openedAt: undefined,
  probeAt: 0,
  probeSentAt: undefined,
  answers: 0,
  error: undefined,
  needsWrite: false,
})

/**
 * Notes an answer at `now` while the breaker is open. Returns whether it ends the outage.
 *
 * @param isWrite whether the store has granted a unit
 */
export function endsOutage(
  breaker: Breaker,
  now: number,
  isWrite: boolean,
  random: () => number,
): boolean {
  breaker.probeSentAt = undefined
  if (breaker.needsWrite && !isWrite) {
    breaker.probeAt = now + pause(now - (breaker.openedAt ?? now), random)
    return false
  }
  breaker.openedAt = undefined
  breaker.needsWrite = false
  return true
}

/** A call to the store. */
export interface Question {
  /** When it was sent. */
  readonly since: number
  /** How many answers had come until then. */
  readonly answersBefore: number
}

/**
 * Notes at `now` that a question has failed. An error about the call's own keys says
 * nothing of the store. Opens the breaker, unless an answer has
 * come since the question was sent: one slow answer among many fast ones is no outage.
 */
export function noteFailure(
  breaker: Breaker,
  error: unknown,
  { since, answersBefore }: Question,
  now: number,
  random: () => number,
): void {
  const { code, scope } = error instanceof StoreError ? error : UNKNOWN
  if (scope === 'key') {
    if (breaker.probeSentAt === since) breaker.probeSentAt = undefined
    return
  }
  if (breaker.openedAt === undefined) {
    if (breaker.answers !== answersBefore) return
    breaker.openedAt = now
    breaker.error = error
    breaker.needsWrite = code === 'rejected'
  } else if (breaker.probeSentAt !== since) {
    return
  }
  breaker.probeSentAt = undefined
  breaker.probeAt = now + pause(now - breaker.openedAt, random)
}

/**
 * Whether a request may probe the store of an open breaker at `now`. One at a time. A probe without
 * an answer after `timeout` ms has failed: a host may end the request that sent it, and with it the
 * probe. After the clock was set back a probe is due.
 */
export function startProbe(
  breaker: Breaker,
  now: number,
  timeout: number,
  random: () => number,
): boolean {
  const { openedAt = now, probeSentAt } = breaker
  if (now < openedAt) {
    breaker.openedAt = now
  } else if (probeSentAt !== undefined) {
    if (now - probeSentAt <= timeout) return false
    breaker.probeSentAt = undefined
    breaker.probeAt = now + pause(now - openedAt, random)
    return false
  } else if (now < breaker.probeAt) {
    return false
  }
  breaker.probeSentAt = now
  return true
}

/** In ms until the next probe may be sent. */
export const probeIn = ({ probeAt }: Breaker, now: number): number =>
  Math.min(Math.max(probeAt - now, 0), MAX_PAUSE_MS * (1 + JITTER))

const pause = (outage: number, random: () => number): number =>
  Math.min(Math.max(outage * PAUSE_SHARE, MIN_PAUSE_MS), MAX_PAUSE_MS) *
  (1 + JITTER * (2 * random() - 1))
