/** The examinations over which evictions are counted: a state changes after so many. */
const EXAMINATIONS = 3

/** What the examinations of a watch remember about the evicted keys of the server. */
export interface Evictions {
  /**
   * Adds the server's count of evicted keys. Returns how many keys were evicted since the third
   * examination before this one, or since the first. Returns `undefined` at the first examination.
   */
  add(total: number): number | undefined
}

/**
 * Counts evictions between examinations, so that an eviction of long ago warns of nothing. It warns
 * in three examinations, since one alone changes no state. A count that falls is that of a restarted
 * server, which has evicted so many keys since the previous examination.
 */
export function createEvictions(): Evictions {
  let previous: number | undefined
  /** The keys evicted between the latest examinations. */
  let recent: readonly number[] = []
  return {
    add(total) {
      const before = previous
      previous = total
      if (before === undefined) return undefined
      recent = [...recent, total < before ? total : total - before].slice(-EXAMINATIONS)
      return recent.reduce((sum, keys) => sum + keys)
    },
  }
}
