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

/** A longer text may be a token, unless it is a path. */
const MAX_SHOWN = 24

/**
 * A value as an error message shows it. A text that could hold a password or a token is described and
 * not shown, because an option may be given the value of another one by mistake.
 */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return showText(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `${value}`
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}

function showText(text: string): string {
  if (text.includes('://')) return 'a URL'
  const isPath = text.startsWith('/') && text.length <= 60
  const isShown = (text.length <= MAX_SHOWN || isPath) && !text.includes('@')
  return isShown ? JSON.stringify(text) : `a text of ${text.length} characters`
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
 * @param otherNames what is meant by names that other packages use
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
const nameOfOption = (key: string) => (showText(key) === `"${key}"` ? key : 'option')

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
