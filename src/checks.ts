import { ConfigError } from './errors.ts'

/** The largest whole number that a header field can carry (RFC 9651 §3.3.1). */
export const MAX_INTEGER = 999_999_999_999_999

/**
 * Throws a `ConfigError` unless `ok`, a condition on the value `got` of an option.
 *
 * @param hint how to correct the value; the end of the message
 */
export function assertOption(
  ok: unknown,
  option: string,
  got: unknown,
  expected: string,
  hint = '',
): asserts ok {
  if (!ok) throw new ConfigError(option, expected, describeValue(got) + hint)
}

/**
 * Text that errors show: short, a path of short segments, or words such as a header's name. No
 * token looks like that, but a short password may.
 */
const SHOWABLE =
  /^(?:(?!bearer |basic |.*:\/\/)[^=@]{0,15}|(?:\/[^/=@?]{0,20}){1,6}|(?!.{41})[a-z]+(?:-[a-z]+)+)$/i

/**
 * A value as an error message shows it. A text that could hold a password or a token is described
 * and not shown, because a user may set an option to the value of another option by mistake.
 */
export function describeValue(value: unknown): string {
  return typeof value === 'string' && SHOWABLE.test(value)
    ? JSON.stringify(value)
    : describeType(value)
}

/** A value as an error message describes it where any text may be a secret. */
export function describeType(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return `${value}`
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return value.length > 0 ? 'a list' : 'an empty list'
  if (typeof value === 'object') return 'an object'
  if (typeof value !== 'string') return `a ${typeof value}`
  return value.includes('://') ? 'a URL' : `a string of ${value.length} characters`
}

/** Throws a `ConfigError` unless `value` is one of `choices`. */
export function assertChoice(
  option: string,
  value: unknown,
  choices: readonly unknown[],
  got = describeValue(value),
): void {
  if (!choices.includes(value)) throw new ConfigError(option, `one of ${choices.join(', ')}`, got)
}

/**
 * Throws a `ConfigError` unless `options` is an object without unknown keys: a misspelt option
 * would have no effect. Errors name an option by `path` and its key.
 *
 * @param foreignNames maps names from other packages to the option that is meant
 */
export function assertKeys(
  path: string,
  options: unknown,
  keys: readonly string[],
  foreignNames: Readonly<Record<string, string>> = {},
): asserts options is object {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  assertOption(isObject, path || 'options', options, 'an object')
  for (const key of Object.keys(options)) {
    const meant = Object.hasOwn(foreignNames, key) ? ` (did you mean ${foreignNames[key]}?)` : ''
    assertChoice((path && `${path}.`) + optionName(key), key, keys, `an unknown option${meant}`)
  }
}

/** A key that could hold a secret is not shown: the user wrote a value in its place. */
const optionName = (key: string) => (/^\w{1,20}$/.test(key) ? key : 'option')

/** Compiles each entry of a list of at least one `kind`. Errors name an entry by its index. */
export function compileList<Compiled>(
  option: string,
  list: unknown,
  kind: string,
  compile: (option: string, entry: unknown) => Compiled,
): Compiled[] {
  assertOption(
    Array.isArray(list) && list.length > 0,
    option,
    list,
    `a list of at least one ${kind}`,
  )
  return list.map((entry, index) => compile(`${option}[${index}]`, entry))
}

/** Whether a value is a whole number in a range. */
export function isCount(value: unknown, from = 1, to = MAX_INTEGER): value is number {
  return Number.isInteger(value) && Number(value) >= from && Number(value) <= to
}

/** Throws a `ConfigError` unless a value is a whole number in a range. */
export function assertCount(
  option: string,
  value: unknown,
  from = 1,
  to = MAX_INTEGER,
): asserts value is number {
  assertOption(isCount(value, from, to), option, value, `a whole number from ${from} to ${to}`)
}

/** Throws a `ConfigError` unless a value is a function. */
export function assertFunction(option: string, value: unknown, expected = 'a function'): void {
  assertOption(typeof value === 'function', option, value, expected)
}

/** Throws a `ConfigError` unless a value is `true` or `false`. */
export function assertBoolean(option: string, value: unknown): asserts value is boolean {
  assertOption(typeof value === 'boolean', option, value, 'true or false')
}

/** Throws a `ConfigError` unless `name` can be the name of a header field (RFC 9110 §5.1). */
export function assertHeaderName(option: string, name: unknown): asserts name is string {
  const isName = typeof name === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(name)
  assertOption(isName, option, name, 'the name of a header, such as "x-api-key"')
}

/** Throws a `ConfigError` unless `prefix` can begin a key. */
export function assertPrefix(prefix: unknown): asserts prefix is string {
  const isPrefix = typeof prefix === 'string' && /^[\x21-\x7e]{1,128}$/.test(prefix)
  assertOption(isPrefix, 'prefix', prefix, '1 to 128 printable ASCII characters without spaces')
}
