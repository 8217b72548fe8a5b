import type { StoreError } from '../errors.ts'
import { isReply } from './outage.ts'

/**
 * The circuit breaker of one backend. While it is open, requests are decided in this isolate at
 * once, and now and then one of them probes the backend. A probe that is answered closes it.
 */
export interface Breaker {
  /** When the outage began; `undefined` while the breaker is closed. */
  openedAt: number | undefined
  /** When the next probe may be sent. */
  probeAt: number
  /** When the probe was sent that is on its way. */
  probeSentAt: number | undefined
  /** How many answers have come. */
  answers: number
  /** When the oldest call was sent since the last answer. */
  waitingSince: number | undefined
  /** Why it opened. */
  error: StoreError | undefined
  /** While it is open: whether only a counted unit ends the outage, since the server rejects writes. */
  needsWrite: boolean
}

/** The next probe waits for a tenth of the outage so far, within these bounds, and ±20 %. */
const PAUSE_SHARE = 1 / 10
const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000
const JITTER = 0.2
const LONGEST_PAUSE_MS = MAX_PAUSE_MS * (1 + JITTER)

export const newBreaker = (): Breaker => ({
  openedAt: undefined,
  probeAt: 0,
  probeSentAt: undefined,
  answers: 0,
  waitingSince: undefined,
  error: undefined,
  needsWrite: false,
})

/**
 * Notes an answer at `now` while the breaker is open. Returns whether it ends the outage.
 *
 * @param isWrite whether the store has counted a unit
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
  return true
}

/** A call that was sent. */
export interface SentCall {
  /** When it was sent. */
  readonly since: number
  /** How many answers had come until then. */
  readonly answersBefore: number
}

/**
 * Notes at `now` that a call has failed. Opens the breaker, unless an answer has come since the call
 * was sent: one slow answer among many fast ones is no outage.
 */
export function noteFailure(
  breaker: Breaker,
  error: StoreError,
  { since, answersBefore }: SentCall,
  now: number,
  random: () => number,
): void {
  if (breaker.openedAt === undefined) {
    if (breaker.answers !== answersBefore) return
    breaker.openedAt = now
    breaker.error = error
  } else if (breaker.probeSentAt !== since) {
    return
  }
  breaker.needsWrite = isReply(error)
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
    breaker.probeAt = now
  } else if (probeSentAt !== undefined && probeSentAt <= now) {
    if (now - probeSentAt <= timeout) return false
    breaker.probeAt = probeSentAt + timeout + pause(now - openedAt, random)
  }
  breaker.probeSentAt = undefined
  if (now < breaker.probeAt && breaker.probeAt - now <= LONGEST_PAUSE_MS) return false
  breaker.probeSentAt = now
  return true
}

/** In ms until a client may come back: the next probe, or the answer of the one on its way. */
export const probeIn = ({ probeAt }: Breaker, now: number): number =>
  probeAt > now ? Math.min(probeAt - now, LONGEST_PAUSE_MS) : MIN_PAUSE_MS

const pause = (outage: number, random: () => number): number =>
  Math.min(Math.max(outage * PAUSE_SHARE, MIN_PAUSE_MS), MAX_PAUSE_MS) *
  (1 + JITTER * (2 * random() - 1))
