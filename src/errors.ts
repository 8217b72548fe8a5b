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

/** Throws unless `ok` holds of the value that an option got. */
export function insist(ok: unknown, option: string, got: unknown, want: string): asserts ok {
  if (!ok) throw new ConfigError(option, show(got), want)
}

/** What no secret looks like: a short text, a path of short segments, words such as a header's name. */
const HARMLESS =
  /^(?:(?!bearer |basic |.*:\/\/)[^=@]{0,15}|(?:\/[^/=@?]{0,20}){1,6}|(?!.{41})[a-z]+(?:-[a-z]+)+)$/i

/**
 * A value as an error message shows it. A text that could hold a password or a token is described
 * and not shown, because a user may set an option to the value of another option by mistake.
 */
export function show(value: unknown): string {
  return typeof value === 'string' && HARMLESS.test(value) ? JSON.stringify(value) : kindOf(value)
}

/** A value as an error message describes it where any text may be a secret. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return `${value}`
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'string') return `a value of type ${typeof value}`
  return value.includes('://') ? 'a URL' : `a text of ${value.length} characters`
}

/** Throws unless `value` is one of those that are known. */
export function checkChoice(
  option: string,
  value: unknown,
  known: readonly unknown[],
  got = show(value),
): void {
  if (!known.includes(value)) throw new ConfigError(option, got, `one of ${known.join(', ')}`)
}

/**
 * Throws unless `options` is an object whose options are all known: one that is misspelt would be
 * obeyed by nobody. In errors the name of an option stands after `path`.
 *
 * @param otherNames maps names from other packages to the option that is meant
 */
export function checkKeys(
  path: string,
  options: unknown,
  known: readonly string[],
  otherNames: Readonly<Record<string, string>> = {},
): asserts options is object {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  insist(isObject, path || 'options', options, 'an object')
  for (const key of Object.keys(options)) {
    const meant = Object.hasOwn(otherNames, key) ? ` (did you mean ${otherNames[key]}?)` : ''
    checkChoice((path && `${path}.`) + nameOfOption(key), key, known, `an unknown option${meant}`)
  }
}

/** A name that could hold a secret was meant to be a value. */
const nameOfOption = (key: string) => (/^\w{1,20}$/.test(key) ? key : 'option')

/** Compiles each entry of a list of at least one `kind`, which errors name by its index. */
export function compileList<Compiled>(
  option: string,
  list: unknown,
  kind: string,
  compile: (option: string, entry: unknown) => Compiled,
): Compiled[] {
  insist(Array.isArray(list) && list.length > 0, option, list, `a list of at least one ${kind}`)
  return list.map((entry, index) => compile(`${option}[${index}]`, entry))
}
