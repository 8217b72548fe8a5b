import type { Window } from '../books.ts'
import type { MakeRule } from '../isolate.ts'
import { counters } from './counters.ts'

/**
 * `Ratelimit.fixedWindow` of @upstash/ratelimit with its default cache: the isolate's clock says
 * which window it is, refused requests count too, and who was refused is refused by the isolate
 * until that window ends by the same clock.
 */
export const upstash: MakeRule = ({ limit, window, now, books }) => {
  const redis = counters(now)
  const trueWindows = new Map<string, Window>()

  /** The window that it would be by a clock that is right. */
  function trueWindow(client: string): Window {
    const endsAt = (Math.floor(now() / window) + 1) * window
    const found = trueWindows.get(client)
    if (found?.endsAt === endsAt) return found
    const begun = { endsAt }
    trueWindows.set(client, begun)
    return begun
  }

  return {
    billed: redis.billed,
    start({ clock, call }) {
      const blockedUntil = new Map<string, number>()
      return async (ask) => {
        const asked = trueWindow(ask.client)
        const bucket = Math.floor(clock() / window)
        if ((blockedUntil.get(ask.client) ?? 0) > clock()) {
          books.full(ask, asked)
          return false
        }
        const allowed = await call(() => {
          const key = `${ask.client}:${bucket}`
          redis.script()
          const { count } = redis.incr(key)
          if (count === 1) redis.pexpire(key, window)
          if (count <= limit) books.counted(ask, asked)
          else books.full(ask, asked)
          return count <= limit
        })
        if (!allowed) blockedUntil.set(ask.client, (bucket + 1) * window)
        return allowed
      }
    },
  }
}
