import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'

/** Writes outages of Redis to the log. */
export interface OutageLog {
  /** Call when Redis becomes unavailable, and after each attempt that fails during the outage. */
  unavailable(reason: string): void
  /** Call when Redis is available. Outside of an outage, this does nothing. */
  available(): void
}

/**
 * Writes a line when Redis becomes unavailable and a line when it is available again, at most one
 * such pair a minute. An outage that is left out, and is still there when the minute is over, is
 * written then.
 */
export function outageLog(write: (line: string) => void, clock: Clock): OutageLog {
  const log = quietLog(write, clock)
  let outage: { readonly since: number; readonly isLogged: boolean } | undefined

  return {
    unavailable(reason) {
      if (outage?.isLogged) return
      const since = outage?.since ?? clock()
      const soFar = outage ? `, for ${seconds(clock() - since)} so far` : ''
      const line = `Redis is unavailable (${reason}${soFar}): all requests get 503 until it is back`
      outage = { since, isLogged: log(line, outage !== undefined) }
    },
    available() {
      if (outage?.isLogged) write(`Redis is back after ${seconds(clock() - outage.since)}`)
      outage = undefined
    },
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
