import { StoreError } from '../../src/errors.ts'
import { fallback } from '../../src/isolate/fallback.ts'
import type { Guard } from '../../src/isolate/guard.ts'
import { known } from '../../src/isolate/known.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

/** The guard of version 0.1: its timer gives up whenever it fires, however late. */
export const plainTimerGuard: Guard = (store, { timeout, clock }) =>
  known(
    fallback(plainDeadline(store, timeout), memory({ clock }), { onAway() {} }, () => true),
    store,
    clock,
  )

const plainDeadline = (store: Store, ms: number): Store => ({
  async take(demands, options) {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const expiry = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new StoreError('timeout', `no answer within ${ms} ms`))
        stop.abort()
      }, ms)
    })
    try {
      return await Promise.race([store.take(demands, { ...options, signal: stop.signal }), expiry])
    } finally {
      clearTimeout(timer)
    }
  },
})
