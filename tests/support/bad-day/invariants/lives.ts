import type { Life } from '../../../../src/simulation/life.ts'
import type { Ask, Executed, Scene, Watcher } from '../watcher.ts'

/** What has become of a life of a key. */
interface Use {
  /** Units that each isolate was granted, and has admitted no request on. */
  readonly held: Map<number, number>
  admitted: number
}

/** The life of each key, as far as requests were admitted on its units. */
export interface Lives extends Watcher {
  admitted(life: Life): number
}

/**
 * In one life of a key at most `limit` requests are admitted on units of the store, each on a unit
 * that its isolate was granted in that life. Units taken ahead are spent before their window ends.
 */
export function lives({ ruleOf, keyOf, fail }: Scene): Lives {
  const uses = new Map<Life, Use>()
  const ofKey = new Map<string, Set<Life>>()
  /** The life in which a request was counted, by key. */
  const countedIn = new WeakMap<Ask, Map<string, Life>>()

  function useOf(life: Life): Use {
    const use = uses.get(life) ?? { held: new Map(), admitted: 0 }
    uses.set(life, use)
    return use
  }

  function admit(key: string, life: Life, isolate: number): void {
    const use = useOf(life)
    const held = use.held.get(isolate) ?? 0
    use.held.set(isolate, held - 1)
    use.admitted++
    const { limit } = ruleOf(key)
    if (held < 1) fail(`${key}: isolate ${isolate} admits a request on a unit it was not granted`)
    if (use.admitted > limit) fail(`${key}: ${use.admitted} of ${limit} admitted in one window`)
  }

  /**
   * The life whose leased units pay for a request: the oldest that had not ended when it began. A
   * request of several policies may wait for another of them.
   */
  function leasedFrom(key: string, { isolate, since }: Ask): Life | undefined {
    for (const life of ofKey.get(key) ?? []) {
      const isOpen = life.endsAt === undefined || since <= life.endsAt
      if (isOpen && (uses.get(life)?.held.get(isolate) ?? 0) > 0) return life
    }
    return undefined
  }

  return {
    admitted: (life) => uses.get(life)?.admitted ?? 0,
    answered({ isolate, ask, outcomes }: Executed) {
      for (const { key, life, granted } of outcomes) {
        if (granted === 0) continue
        const { held } = useOf(life)
        held.set(isolate, (held.get(isolate) ?? 0) + granted)
        ofKey.set(key, (ofKey.get(key) ?? new Set()).add(life))
        if (ask === undefined) continue
        const counted = countedIn.get(ask) ?? new Map<string, Life>()
        countedIn.set(ask, counted)
        if (!counted.has(key)) counted.set(key, life)
      }
    },
    granted(ask, demands, grants) {
      for (const [index, demand] of demands.entries()) {
        const { granted = 0, source = 'store' } = grants[index] ?? {}
        if (granted === 0) continue
        const key = keyOf(demand)
        if (source === 'store') {
          const life = countedIn.get(ask)?.get(key)
          if (life) admit(key, life, ask.isolate)
          else fail(`${key}: admitted in the name of the store, which granted nothing`)
        } else if (source === 'lease') {
          const life = leasedFrom(key, ask)
          if (life) admit(key, life, ask.isolate)
          else fail(`${key}: a leased unit is spent that is not held, or after its window`)
        }
      }
    },
  }
}
