import { StoreError } from '../errors.ts'
import type { Store } from './store.ts'

/**
 * A store that answers within `ms` or throws a `StoreError` with code `timeout`. The request to
 * the backend is ended by its signal, and not waited for if it ignores that. A unit may still
 * have been counted then.
 */
export function deadline(store: Store, ms: number): Store {
  return {
    async take(demands, { signal, waitUntil } = {}) {
      const stop = new AbortController()
      const signals = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      let timer: ReturnType<typeof setTimeout> | undefined
      const expiry = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new StoreError('timeout', `the store gave no answer within ${ms} ms`))
          stop.abort()
        }, ms)
      })
      try {
        return await Promise.race([store.take(demands, { signal: signals, waitUntil }), expiry])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
