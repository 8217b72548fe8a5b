import type { Clock } from './clock.ts'

const MINUTE_MS = 60_000

/**
 * A log for what may happen many times a second: passes on one line a minute at most, and says in the
 * next one how many it left out. Returns whether the line was written.
 */
export function quietLog(write: (line: string) => void, clock: Clock): (line: string) => boolean {
  let writtenAt = Number.NEGATIVE_INFINITY
  let leftOut = 0
  return (line) => {
    const now = clock()
    // A clock that was set back must not silence the log.
    if (now >= writtenAt && now - writtenAt < MINUTE_MS) {
      leftOut++
      return false
    }
    write(leftOut > 0 ? `${line} (and ${leftOut} more times since the last line)` : line)
    writtenAt = now
    leftOut = 0
    return true
  }
}
