import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'

/** Writes outages of Redis to the log. */
export interface OutageLog {
  /** To be called when Redis goes away, and at each attempt that fails while it is away. */
  away(reason: string): void
  /** To be called whenever Redis can be asked: outside of an outage it does nothing. */
  back(): void
}

/**
 * Writes a line when Redis goes away and one when it is back, one such pair a minute at most. An
 * outage that was left out, and lasts until that minute is over, is written then.
 */
export function outageLog(write: (line: string) => void, clock: Clock): OutageLog {
  const log = quietLog(write, clock)
  let outage: { readonly since: number; readonly isLogged: boolean } | undefined

  return {
    away(reason) {
      if (outage?.isLogged) return
      const since = outage?.since ?? clock()
      const soFar = outage ? `, for ${seconds(clock() - since)} so far` : ''
      const line = `Redis is away (${reason}${soFar}): answering 503 until it is back`
      outage = { since, isLogged: log(line, outage !== undefined) }
    },
    back() {
      if (outage?.isLogged) write(`Redis is back after ${seconds(clock() - outage.since)}`)
      outage = undefined
    },
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
