/**
 * An option or a variable is wrong. Thrown at construction, or at the first request if the store or
 * the policies come from the environment. `option` is the name as the caller wrote it, with the
 * index in a list: `policies[1].window`. The message is `<option>: expected <expected>, got <got>`.
 */
export class ConfigError extends TypeError {
  override readonly name = 'ConfigError'
  readonly option: string

  constructor(option: string, expected: string, got?: string) {
    super(`${option}: expected ${expected}${got ? `, got ${got}` : ''}`)
    this.option = option
  }
}

/**
 * Why a store failed:
 * - `unreachable`: no connection, or an invalid answer such as a proxy's error page
 * - `timeout`: no answer in time
 * - `unauthorized`: the token or user is unknown, or may not write
 * - `rejected`: the server answered with an error (out of memory, quota of the plan used up, …)
 */
export type StoreErrorCode = 'unreachable' | 'timeout' | 'unauthorized' | 'rejected'

/** The backend of a store failed. The message never contains a key, a token or a client. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /**
   * Whether other keys of the store fail too, so that the store is left alone for a while
   * (`'store'`), or the call's own keys alone (`'key'`).
   */
  readonly scope: 'store' | 'key'
  /** Whether the backend may have counted the call: `false` if it certainly has not. */
  readonly mayHaveCounted: boolean

  constructor(
    code: StoreErrorCode,
    message: string,
    options: {
      readonly cause?: unknown
      /** @default 'store' */
      readonly scope?: 'store' | 'key'
      /** @default true, unless the error is about the call's own keys */
      readonly mayHaveCounted?: boolean
    } = {},
  ) {
    super(message, options)
    this.code = code
    this.scope = options.scope ?? 'store'
    this.mayHaveCounted = options.mayHaveCounted ?? this.scope === 'store'
  }
}
