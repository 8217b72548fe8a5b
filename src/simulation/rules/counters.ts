import type { Clock } from '../../clock.ts'

/** One life of a key. */
export interface Counter {
  count: number
  /** In ms since the epoch; nothing while it never expires. */
  endsAt: number | undefined
}

/** Of Redis what the rivals use, by their commands. Each is billed, and each script besides. */
export interface Counters {
  billed(): number
  /** A script is one command more, around those inside it. */
  script(): void
  get(key: string): Counter | undefined
  incr(key: string): Counter
  pttl(key: string): number
  pexpire(key: string, ms: number): void
  /** SET with an expiry; with `nx` only where there is no such key. */
  set(key: string, count: number, ms: number, nx?: 'nx'): Counter
}

export function counters(now: Clock): Counters {
  const lives = new Map<string, Counter>()
  let billed = 0

  function life(key: string): Counter | undefined {
    const found = lives.get(key)
    return found?.endsAt === undefined || now() < found.endsAt ? found : undefined
  }

  function begin(key: string, endsAt?: number): Counter {
    const counter = { count: 0, endsAt }
    lives.set(key, counter)
    return counter
  }

  return {
    billed: () => billed,
    script: () => void billed++,
    get(key) {
      billed++
      return life(key)
    },
    incr(key) {
      billed++
      const counter = life(key) ?? begin(key)
      counter.count++
      return counter
    },
    pttl(key) {
      billed++
      const endsAt = life(key)?.endsAt
      return endsAt === undefined ? -1 : endsAt - now()
    },
    pexpire(key, ms) {
      billed++
      const counter = life(key)
      if (counter) counter.endsAt = now() + ms
    },
    set(key, count, ms, nx) {
      billed++
      const counter = life(key) ?? begin(key, now() + ms)
      if (nx && counter.count > 0) return counter
      counter.count = count
      counter.endsAt = now() + ms
      return counter
    },
  }
}
