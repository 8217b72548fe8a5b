/** The clocks of this process, in virtual time. */
export interface Clocks {
  /** In ms since the epoch. Does not count as a reading. */
  now(): number
  advance(ms: number): void
  /** How often `Date.now` and `performance.now` were called so far. */
  readings(): number
}

/** Replaces `Date.now` and `performance.now` by virtual time, and counts how often they are called. */
export function replaceClocks(): Clocks {
  let now = Date.UTC(2026, 0, 1)
  let readings = 0
  const read = () => {
    readings++
    return now
  }
  Date.now = read
  performance.now = read
  return {
    now: () => now,
    advance(ms) {
      now += ms
    },
    readings: () => readings,
  }
}
