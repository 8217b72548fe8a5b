/** How often to look, in ms. */
const TICK_MS = 5

/** Measures for how long this process could not run its timers. */
export interface Stalls {
  /** All of that time since the beginning, in ms. */
  readonly total: number
  stop(): void
}

export function watchStalls(): Stalls {
  let last = performance.now()
  let total = 0
  const look = () => {
    const now = performance.now()
    total += Math.max(0, now - last - TICK_MS)
    last = now
  }
  const timer = setInterval(look, TICK_MS)
  return {
    get total() {
      look()
      return total
    },
    stop: () => clearInterval(timer),
  }
}
