import { codeIn } from '../stores/redis-protocol/redis-error.ts'
import type { Send } from '../stores/redis-protocol/rest.ts'
import type { Store } from '../stores/store.ts'
import { troubleOf } from './failure.ts'
import { PROBE_WINDOW } from './probe-target.ts'
import type { Finding } from './report.ts'
import { patience } from './time-budget.ts'

/** An expiry of 0 deletes; and who may count may PEXPIRE, where DEL is not allowed. */
const END_ALL = `for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 0) end`

/** Deletes what the examination may have left. A store alone cannot; its windows end soon. */
export async function cleanUp(
  source: Send | Store,
  keys: readonly string[],
  timeout: number,
): Promise<readonly Finding[]> {
  if (typeof source !== 'function' || keys.length === 0) return []
  const { ask } = patience(timeout, timeout)
  try {
    await ask((options) => source(['DEL', ...keys], options))
    return []
  } catch {
    // Not allowed, or failed this once: there is another way.
  }
  try {
    await ask((options) => source(['EVAL', END_ALL, `${keys.length}`, ...keys], options))
    return []
  } catch (error) {
    // Who may not write has left nothing.
    const { kind, said } = troubleOf(error)
    if (kind === 'forbidden' || codeIn(said) === 'READONLY') return []
    return [
      {
        check: 'cleanup',
        level: 'info',
        says: `The probes could not be deleted; if there are any, they end by themselves within ${PROBE_WINDOW / 1000} s.`,
      },
    ]
  }
}
