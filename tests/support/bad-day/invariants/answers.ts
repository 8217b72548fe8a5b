import type { Scene, Watcher } from '../watcher.ts'

/** In ms: how much longer than its window a key of Redis may seem to last (src/isolate/observed-window.ts). */
const EXPIRY_MS = 2

/** In ms: the longest pause between two probes, with its spread. */
const LONGEST_PAUSE_MS = 36_000

/**
 * Decisions are what the policies say: a 503 only where a policy is closed, a pass without a count
 * only where it is open, and a wait of at most a window, after which the client finds room.
 */
export function answers({ now, server, timeout, ruleOf, keyOf, fail }: Scene): Watcher {
  return {
    granted({ since }, demands, grants) {
      const took = now() - since
      for (const [index, demand] of demands.entries()) {
        const grant = grants[index]
        const key = keyOf(demand)
        const { fallback, limit, window } = ruleOf(key)
        if (grant === undefined) return fail(`${key}: no grant`)
        const { granted, used, resetIn, retryIn, source = 'store' } = grant
        const isFallback = source === 'local' || source === 'open' || source === 'closed'
        const kind = typeof fallback === 'object' ? 'local' : fallback
        if (source !== 'closed' && isFallback && source !== kind)
          fail(`${key}: ${source}, not ${kind}`)
        if (source === 'closed' && granted > 0) fail(`${key}: closed, and granted`)
        if (source === 'closed') {
          if (retryIn <= 0 || retryIn > LONGEST_PAUSE_MS) fail(`${key}: closed for ${retryIn} ms`)
          continue
        }
        if (used < 0 || used > limit) fail(`${key}: ${used} of ${limit} used`)
        if (resetIn < 0 || resetIn > window + EXPIRY_MS + took)
          fail(`${key}: ends in ${resetIn} ms`)
        if (retryIn < 0 || retryIn > window + EXPIRY_MS + took)
          fail(`${key}: refused for ${retryIn} ms`)
        const life = server.model.life(key)
        // What the isolate refuses by its own count ends with its own window.
        // Once a key was lost, isolates may tell the time of its window (docs/exactness.md).
        const wasLost = server.lostUntil(key) > 0 || (life && server.begin(life) > since)
        if (source === 'store' && retryIn > 0 && life?.endsAt !== undefined && !wasLost) {
          if (now() + retryIn <= life.endsAt) fail(`${key}: may come back before its window ends`)
        }
      }
    },
    decided({ since }, rules, decision) {
      const { allowed, source, degraded, retryIn } = decision
      const took = now() - since
      if (took > timeout) fail(`a check took ${took} ms`)
      if (degraded !== ['local', 'open', 'closed'].includes(source)) fail(`${source}: degraded`)
      if (source === 'closed' && !rules.some(({ fallback }) => fallback === 'closed')) {
        fail('a 503 without a closed policy')
      }
      if (!allowed && retryIn <= 0) fail(`a refusal by ${source} without a time to come back`)
      if (allowed && retryIn !== 0) fail(`allowed, and to come back in ${retryIn} ms`)
    },
  }
}
