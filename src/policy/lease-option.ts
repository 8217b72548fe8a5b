import { assertKeys, assertOption } from '../checks.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from './duration.ts'

export interface LeaseOptions {
  /**
   * How long the units that are taken in advance should last, at the isolate's rate of requests.
   * @default '4s'
   */
  readonly ahead?: Duration | undefined
}

/**
 * Compiles the option `lease` to the time for which units are taken in advance, in ms. `undefined`
 * without leases. Throws a `ConfigError`.
 */
export function compileLease(option: string, lease: unknown): number | undefined {
  if (lease === undefined || lease === false) return undefined
  const options = lease === true ? {} : lease
  assertOption(typeof options === 'object', option, lease, 'true, false or { ahead }')
  assertKeys(option, options, ['ahead'])
  const { ahead = '4s' } = options as LeaseOptions
  const at = `${option}.ahead`
  const ms = parseTimeout(at, ahead)
  warnOfBareNumber(at, ahead)
  return ms
}
