import type { Clock } from './clock.ts'

const MINUTE_MS = 60_000

/**
 * Writes a line, or leaves it out. Returns whether it was written. `isAgain`: this line was left
 * out before, and is still true.
 */
export type Log = (line: string, isAgain?: boolean) => boolean

/**
 * A log for events that may happen many times a second. Writes at most one line a minute, and adds
 * to the next line how many were left out.
 */
export function quietLog(write: (line: string) => void, clock: Clock): Log {
  let writtenAt = Number.NEGATIVE_INFINITY
  let leftOut = 0
  return (line, isAgain = false) => {
    const now = clock()
    // A clock that was set back must not stop the log.
    if (now >= writtenAt && now - writtenAt < MINUTE_MS) {
      if (!isAgain) leftOut++
      return false
    }
    const more = isAgain ? leftOut - 1 : leftOut
    write(more > 0 ? `${line} (and ${more} more times since the last line)` : line)
    writtenAt = now
    leftOut = 0
    return true
  }
}
