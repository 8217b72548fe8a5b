import { ConfigError } from '../errors.ts'
import type { Duration } from '../policy/duration.ts'
import { parseTimeout } from '../policy/duration.ts'
import { burstLength } from './plan.ts'

/** How many requests a second the drill may send unless `--max-rate` raises it. */
export const DEFAULT_MAX_RATE = 100
export const HIGHEST_MAX_RATE = 1000

/** How often the drill sends. Times are in ms. */
export interface Rate {
  /** How many requests the limit admits in a window. */
  readonly admitted: number
  readonly window: number
  /** The most requests a second. */
  readonly maxRate: number
  /** The time between two requests that the user asks for. */
  readonly pace: Duration | undefined
}

/**
 * The time between the starts of two requests, in ms: 100, or `pace`, or less in a window that would
 * otherwise end during the burst. Throws a `ConfigError` if that is possible only above `maxRate`.
 */
export function readPace({ admitted, window, maxRate, pace }: Rate): number {
  const least = Math.ceil(1000 / maxRate)
  const wanted = pace === undefined ? Math.max(100, least) : parseTimeout('--pace', pace)
  if (wanted < least) {
    throw new ConfigError(
      '--pace',
      `at least ${least}ms (--max-rate is ${maxRate})`,
      `${wanted} ms`,
    )
  }
  const burst = burstLength(admitted)
  if (burst * least > window) {
    const needed = Math.ceil((burst * 1000) / window)
    const advice =
      needed <= HIGHEST_MAX_RATE
        ? `raise --max-rate to ${needed}`
        : 'drill a policy with a lower limit or a longer window'
    const expected = `at least ${burst * least}ms for ${burst} requests at --max-rate ${maxRate}`
    throw new ConfigError('--window', expected, `${window} ms (${advice})`)
  }
  // The burst should end well before the window does.
  return Math.max(least, Math.min(wanted, Math.floor(window / 2 / burst)))
}
