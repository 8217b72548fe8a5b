import type { Clock } from '../clock.ts'
import { DEFAULT_PREFIX, keyOf } from '../stores/key.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import { type Recent, recent } from './lru.ts'
import { isExhausted, learn, open, resetIn, type Sight } from './observed-window.ts'

/** What this isolate knows of the keys of each store, whichever limiter asked. */
const sightsOf = new WeakMap<Store, Recent<Sight>>()

/**
 * A store that refuses by itself what `store` is certain to refuse: a demand that does not fit what
 * was seen used, until that window ends, and no longer. Everything else is asked. Of the other
 * demands of such a call its grants tell what is known, or are `unseen`.
 *
 * Limiters over one `source` share what they know.
 */
export function known(store: Store, source: Store, clock: Clock): Store {
  const sights = sightsOf.get(source) ?? recent<Sight>()
  sightsOf.set(source, sights)

  return {
    async take(demands, options) {
      const since = clock()
      const keys = demands.map((demand) => keyOf(DEFAULT_PREFIX, demand))
      const asked = keys.map((key) => sights.get(key))
      const seen = asked.map((sight) => open(sight, since))
      const refused = demands.some((demand, index) => {
        const sight = seen[index]
        // A window that is longer than its policy's (a new deployment's) will be shortened.
        return sight && isExhausted(sight, demand) && sight.until - since <= demand.window
      })
      if (refused) return demands.map((demand, index) => refusal(demand, seen[index], since))

      const grants = await store.take(demands, options)
      const now = clock()
      for (const [index, key] of keys.entries()) {
        const grant = grants[index]
        if (grant === undefined || grant.source === 'local') continue
        const sight = learn(sights.get(key), asked[index], grant, since, now)
        if (sight) sights.set(key, sight)
        else sights.delete(key)
      }
      return grants
    },
  }
}

function refusal(demand: Demand, sight: Sight | undefined, now: number): Grant {
  const source = 'known'
  if (sight === undefined) {
    return { granted: 0, used: 0, resetIn: 0, retryIn: 0, unseen: true, source }
  }
  const left = resetIn(sight, now)
  // In the millisecond that Redis names as the end, the key still exists.
  const retryIn = isExhausted(sight, demand) ? left + 1 : 0
  return { granted: 0, used: Math.min(sight.used, demand.limit), resetIn: left, retryIn, source }
}
