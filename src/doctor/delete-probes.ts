import { codeIn } from '../stores/redis-protocol/redis-error.ts'
import type { Send } from '../stores/redis-protocol/rest.ts'
import type { Store } from '../stores/store.ts'
import type { TimeSource } from '../timer.ts'
import { failureOf } from './failure.ts'
import { PROBE_WINDOW_MS } from './probe-target.ts'
import type { Finding } from './report.ts'
import { startTimeBudget } from './time-budget.ts'

/**
 * An expiry of 0 deletes a key. Counting needs PEXPIRE, so it is permitted where DEL may not be.
 */
const EXPIRE_ALL = `for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 0) end`

/**
 * Deletes the keys that the probes may have left. A `Store` cannot delete keys, so its probes
 * expire by themselves.
 */
export async function deleteProbes(
  source: Send | Store,
  keys: readonly string[],
  timeout: number,
  time?: TimeSource,
): Promise<readonly Finding[]> {
  if (typeof source !== 'function' || keys.length === 0) return []
  const { run } = startTimeBudget(timeout, timeout, time)
  try {
    await run((options) => source(['DEL', ...keys], options))
    return []
  } catch {
    // DEL is not permitted, or failed once. The script below needs other permissions.
  }
  try {
    await run((options) => source(['EVAL', EXPIRE_ALL, `${keys.length}`, ...keys], options))
    return []
  } catch (error) {
    // A user who may not write has left no keys.
    const { kind, message } = failureOf(error)
    if (kind === 'forbidden' || codeIn(message) === 'READONLY') return []
    return [
      {
        check: 'cleanup',
        level: 'info',
        says: `The doctor could not delete its probe keys. They expire within ${PROBE_WINDOW_MS / 1000} s.`,
      },
    ]
  }
}
