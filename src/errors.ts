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
