/**
 * An option or a variable that cannot work, found before anything was limited by it.
 * `option` names it as the caller wrote it, lists with their index: `policies[1].window`.
 */
export class ConfigError extends TypeError {
  override readonly name = 'ConfigError'
  readonly option: string

  constructor(option: string, got: string, want: string) {
    super(`${option}: got ${got}, want ${want}`)
    this.option = option
  }
}

/**
 * Why a store gave no answer:
 * - `unreachable`: no connection, or an answer that is none (a proxy's error page)
 * - `timeout`: no answer within the time allowed
 * - `unauthorized`: the token or user is unknown, or may not write
 * - `rejected`: the server answered with an error (out of memory, quota of the plan used up, …)
 */
export type StoreErrorCode = 'unreachable' | 'timeout' | 'unauthorized' | 'rejected'

/** The backend of a store failed. The text holds no key, token or client; a refusal is no error. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A value as an error message shows it: its type where that is the surprise, never at length. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `${value}`
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}

/**
 * Throws unless `options` is an object whose options are all known: one that is misspelt would be
 * obeyed by nobody. In errors the name of an option stands after `path`.
 */
export function checkKeys(
  path: string,
  options: unknown,
  known: readonly string[],
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(path || 'options', show(options), `an object with ${known.join(', ')}`)
  }
  const stranger = Object.keys(options).find((key) => !known.includes(key))
  if (stranger === undefined) return
  const option = (path ? `${path}.` : '') + stranger.slice(0, 60)
  throw new ConfigError(option, 'an unknown option', `one of ${known.join(', ')}`)
}
