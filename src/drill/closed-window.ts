import { type Burst, outlastsWindow } from './burst.ts'
import type { Settings } from './options.ts'
import type { Answer, Session } from './session.ts'

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
  /** Whether plain requests can no longer be kept refused: windows are too short or do not count. */
  isLost(): boolean
  /** The last refusal of a plain request. */
  lastRefusal(): Answer | undefined
  /** The first plain request that passed too early. */
  earlyPass(): EarlyPass | undefined
}

/** How many whole windows may be used up again. */
const MAX_WINDOWS = 2

/** `Retry-After` counts in whole seconds, and the network takes time. */
const TOLERANCE_MS = 1500

export function keepClosed(session: Session, settings: Settings, burst: Burst): ClosedWindow {
  const { limit } = settings
  let refusal = burst.answers.findLast(({ isRefused }) => isRefused)
  let early: EarlyPass | undefined
  let left = MAX_WINDOWS * (limit + 1)
  let isLost = refusal === undefined || outlastsWindow(burst, settings)

  /** Sends plain requests until one is refused. Returns `false` if too few requests are left. */
  async function useUp(): Promise<boolean> {
    for (let request = 0; request < limit + 1 && left > 0; request++) {
      left--
      const answer = await session.send()
      if (!answer.isRefused) continue
      refusal = answer
      return true
    }
    return false
  }

  return {
    isLost: () => isLost,
    lastRefusal: () => refusal,
    isDue() {
      const { receivedAt = 0, fields } = refusal ?? {}
      const seconds = fields?.retryAfter
      return seconds !== undefined && session.clock() > receivedAt + seconds * 1000 - TOLERANCE_MS
    },
    earlyPass: () => early,
    async spendUnit() {
      for (let request = 0; request < 3 && !isLost; request++) {
        const answer = await session.send()
        if (!answer.isRefused) {
          early ??= earlyPassOf(answer, refusal)
          return
        }
        refusal = answer
      }
    },
    async close() {
      if (!isLost && !burst.answers.at(-1)?.isRefused) isLost = !(await useUp())
    },
    async isStillClosed() {
      if (isLost) return false
      const answer = await session.send()
      if (answer.isRefused) {
        refusal = answer
        return true
      }
      early ??= earlyPassOf(answer, refusal)
      isLost = !(await useUp())
      return false
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
