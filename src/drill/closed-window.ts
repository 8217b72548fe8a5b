import { type Burst, outlastsWindow } from './burst.ts'
import type { Settings } from './options.ts'
import type { Answer, Session } from './session.ts'
import { isUnexpected } from './unexpected.ts'

/** A plain request passed earlier than a refusal had promised. Times are in ms. */
export interface EarlyPass {
  /** How long after the refusal it passed. */
  readonly after: number
  /** What `Retry-After` of the refusal promised. */
  readonly promised: number
}

/** A window whose limit is used up: plain requests are refused. */
export interface ClosedWindow {
  /**
   * Uses up the window if the burst did not: its last request passed, since a window ended during
   * the burst, or since units come back bit by bit.
   */
  close(): Promise<void>
  /**
   * Sends a plain request. Returns whether it was refused. If it passed, the window has ended:
   * uses up the next one.
   */
  isStillClosed(): Promise<boolean>
  /**
   * Sends plain requests until one passes, at most three: if units come back bit by bit, there is
   * none left for the next request.
   */
  spendUnit(): Promise<void>
  /** Whether the window should have ended by now, by `Retry-After` of the last refusal. */
  isDue(): boolean
  /** Why plain requests can no longer be kept refused; `undefined` as long as they can. */
  lostBecause(): string | undefined
  /** The status of plain requests that are neither passed nor refused any more. */
  blockedBy(): number | undefined
  /** The last refusal of a plain request. */
  lastRefusal(): Answer | undefined
  /** The first plain request that passed too early. */
  earlyPass(): EarlyPass | undefined
}

/** How many whole windows may be used up again. */
const MAX_WINDOWS = 3

const TOO_SHORT = 'the window is too short to keep the limit used up'

/** `Retry-After` counts in whole seconds, and the network takes time. */
const TOLERANCE_MS = 1500

export function keepClosed(session: Session, settings: Settings, burst: Burst): ClosedWindow {
  const { admitted } = settings
  let refusal = burst.answers.findLast(({ isRefused }) => isRefused)
  let early: EarlyPass | undefined
  let left = MAX_WINDOWS * (admitted + 1)
  let blockedBy: number | undefined
  let lostBecause: string | undefined
  if (refusal === undefined) lostBecause = 'no request was refused'
  else if (outlastsWindow(burst, settings)) lostBecause = TOO_SHORT

  /** Sends a plain request, and once more if the response is unexpected, as during a restart. */
  async function sendPlain(): Promise<Answer> {
    const first = await session.send()
    const answer = isUnexpected(first) ? await session.send() : first
    if (isUnexpected(answer)) {
      blockedBy = answer.status
      lostBecause = `plain requests get ${blockedBy}, neither a success nor a refusal`
    }
    if (answer.isRefused) refusal = answer
    return answer
  }

  /** Sends a plain request that should be refused. */
  async function probe(): Promise<Answer> {
    const answer = await sendPlain()
    if (answer.isPassed) early ??= earlyPassOf(answer, refusal)
    return answer
  }

  /** Sends plain requests until one is refused. */
  async function useUp(): Promise<void> {
    for (let request = 0; request < admitted + 1 && left > 0; request++) {
      left--
      if (!(await sendPlain()).isPassed) return
    }
    lostBecause = TOO_SHORT
  }

  return {
    lostBecause: () => lostBecause,
    blockedBy: () => blockedBy,
    lastRefusal: () => refusal,
    isDue() {
      const { receivedAt = 0, fields } = refusal ?? {}
      const seconds = fields?.retryAfter
      return seconds !== undefined && session.clock() > receivedAt + seconds * 1000 - TOLERANCE_MS
    },
    earlyPass: () => early,
    async close() {
      if (lostBecause === undefined && !burst.answers.at(-1)?.isRefused) await useUp()
    },
    async isStillClosed() {
      if (lostBecause !== undefined) return false
      const answer = await probe()
      if (answer.isPassed) await useUp()
      return answer.isRefused
    },
    async spendUnit() {
      for (let request = 0; request < 3 && lostBecause === undefined; request++) {
        if ((await probe()).isPassed) return
      }
    },
  }
}

function earlyPassOf(answer: Answer, refusal: Answer | undefined): EarlyPass | undefined {
  const seconds = refusal?.fields.retryAfter
  if (refusal === undefined || seconds === undefined) return undefined
  const after = answer.sentAt - refusal.receivedAt
  const promised = seconds * 1000
  return promised - after > TOLERANCE_MS ? { after, promised } : undefined
}
