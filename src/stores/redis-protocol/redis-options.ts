import { assertBoolean, assertKeys, assertPrefix } from '../../checks.ts'
import { DEFAULT_PREFIX } from '../key.ts'

/** What all stores over Redis take. */
export interface RedisStoreOptions {
  /**
   * What every key begins with.
   * @default 'ratelimit'
   */
  readonly prefix?: string | undefined
}

/** Additional options of the stores over Upstash's REST protocol. */
export interface KeyLockingOptions {
  /**
   * Sends the script with Upstash's header for key locking: the script then locks only its own
   * keys, not the whole database. Set it if you reach Upstash under your own domain.
   * @default `true` if the address ends in `.upstash.io`
   */
  readonly keyLocking?: boolean | undefined
}

/** Checks the options of the store `name`, which may take `more`. Throws a `ConfigError`. */
export function checkRedisOptions(
  name: string,
  options: RedisStoreOptions,
  ...more: readonly string[]
): { readonly name: string; readonly prefix: string } {
  assertKeys(name, options, ['prefix', ...more])
  const { prefix = DEFAULT_PREFIX } = options
  assertPrefix(prefix)
  return { name, prefix }
}

/** Whether to send the header: the option, or else the default. Throws a `ConfigError`. */
export function checkKeyLocking({ keyLocking }: KeyLockingOptions, byAddress: boolean): boolean {
  if (keyLocking !== undefined) assertBoolean('keyLocking', keyLocking)
  return keyLocking ?? byAddress
}
