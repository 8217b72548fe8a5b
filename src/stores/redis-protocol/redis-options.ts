import { assertBoolean, assertKeys, assertPrefix } from '../../checks.ts'
import { DEFAULT_PREFIX } from '../key.ts'

/** The options of all stores over Redis. */
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

/** Compiles the options of the store `name`, which also accepts `more`. Throws a `ConfigError`. */
export function compileRedisOptions(
  name: string,
  options: RedisStoreOptions,
  ...more: readonly string[]
): { readonly name: string; readonly prefix: string } {
  assertKeys(name, options, ['prefix', ...more])
  const { prefix = DEFAULT_PREFIX } = options
  assertPrefix(prefix)
  return { name, prefix }
}

/** Whether to send the header: the option, otherwise the default. Throws a `ConfigError`. */
export function resolveKeyLocking({ keyLocking }: KeyLockingOptions, byDefault: boolean): boolean {
  if (keyLocking !== undefined) assertBoolean('keyLocking', keyLocking)
  return keyLocking ?? byDefault
}
