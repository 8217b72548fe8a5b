import type { Life } from '../../../../src/simulation/life.ts'
import type { Scene, Watcher } from '../watcher.ts'

/**
 * At a quiet moment no key is without expiry, unless the isolate has ended whose command made it, or
 * cannot work behind the back of a request: then the next request of the client finds it.
 */
export function expiry({ server, hasBackground, fail }: Scene): Watcher {
  const madeBy = new WeakMap<Life, number>()
  const dead = new Set<number>()
  return {
    executed({ isolate, outcomes }) {
      for (const { life, isNew } of outcomes) if (isNew) madeBy.set(life, isolate)
    },
    died: (isolate) => void dead.add(isolate),
    quiet() {
      for (const key of server.model.keys()) {
        const life = server.model.life(key)
        if (life === undefined || life.endsAt !== undefined) continue
        const isolate = madeBy.get(life)
        if (isolate === undefined || dead.has(isolate) || !hasBackground(isolate)) continue
        fail(`${key}: no expiry`)
      }
    },
  }
}
