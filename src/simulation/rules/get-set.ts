import type { MakeRule } from '../isolate.ts'
import { counters } from './counters.ts'

/**
 * GET, then SET (docs/from-get-set.md): requests that read the same count write the same count. Every
 * SET postpones the window's end.
 */
export const getSet: MakeRule = ({ limit, window, now, books }) => {
  const redis = counters(now)
  return {
    billed: redis.billed,
    start:
      ({ call }) =>
      async (ask) => {
        const count = await call(() => {
          const counter = redis.get(ask.client)
          if (counter && counter.count >= limit) books.full(ask, counter)
          return counter?.count ?? 0
        })
        if (count >= limit) return false
        await call(() => books.counted(ask, redis.set(ask.client, count + 1, window)))
        return true
      },
  }
}
