import { StoreError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import { startTimeout } from '../timer.ts'

/**
 * A store that answers within `ms` or throws a `StoreError` with code `timeout`. The signal ends the
 * request to the backend; a backend that ignores the signal is not waited for. A unit may still have
 * been counted then. An answer that arrives while this process is busy is not late.
 */
export function deadline(store: Store, ms: number): Store {
  return {
    async take(demands, { signal, waitUntil } = {}) {
      const stop = new AbortController()
      const signals = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      let stopTimer = () => {}
      const expiry = new Promise<never>((_, reject) => {
        stopTimer = startTimeout(ms, () => {
          reject(new StoreError('timeout', `the store gave no answer within ${ms} ms`))
          stop.abort()
        })
      })
      try {
        return await Promise.race([store.take(demands, { signal: signals, waitUntil }), expiry])
      } finally {
        stopTimer()
      }
    },
  }
}
