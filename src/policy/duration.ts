import { assertOption, isCount } from '../checks.ts'

/**
 * A whole number with a unit, such as `'500ms'`, `'10s'`, `'1m'`, `'1h'`, `'1d'`, or a bare number
 * of milliseconds: 60 is 60 ms, not a minute.
 */
export type Duration = number | `${number}${Unit}`

type Unit = keyof typeof MS_PER_UNIT

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Returns a duration in ms, at least 1. Throws a `ConfigError` that names the option. */
export function parseDuration(option: string, value: unknown): number {
  const ms = typeof value === 'string' ? parseText(value) : value
  const expected = 'a duration such as "1m" or a number of milliseconds'
  assertOption(isCount(ms), option, value, expected, hintFor(value))
  return ms
}

/** Like `parseDuration`, for a timer: a timer of more than 24 days would fire at once. */
export function parseTimeout(option: string, value: unknown): number {
  const ms = parseDuration(option, value)
  assertOption(ms < 2 ** 31, option, value, 'at most 24 days')
  return ms
}

/** Like `parseDuration`, and warns of a bare number that was probably not meant in ms. */
export function parseWindow(option: string, value: unknown): number {
  const ms = parseDuration(option, value)
  warnOfBareNumber(option, value)
  return ms
}

/** Warnings already logged, in lower case, since a Worker checks both POLICIES and `policies`. */
const warned = new Set<string>()

/** Warns once about a bare number that was probably not meant in ms, such as a window of 60. */
export function warnOfBareNumber(option: string, value: unknown, below = 1000): void {
  const known = `${option} ${value}`.toLowerCase()
  if (typeof value !== 'number' || value >= below || warned.has(known)) return
  warned.add(known)
  console.warn(
    `tidegate: ${option}: ${value} means ${value} milliseconds. ` +
      `Write '${value}s' for seconds, or '${value}ms' to turn off this warning`,
  )
}

/** Suggests a duration for the notation of another package, such as `'10 seconds'`. */
function hintFor(value: unknown): string {
  if (typeof value !== 'string') return ''
  const words = /^ *(\d+) *(?!mo|mil|dec)(ms|[smhd]|$)[a-z]* *$/i.exec(value) ?? []
  const meant = `${words[1]}${words[2]?.toLowerCase() || 's'}`
  // Some packages read a single capital M as a month.
  if (meant === value || /M$/.test(value) || !isCount(parseText(meant))) return ''
  return ` (did you mean "${meant}"?)`
}

function parseText(text: string): number {
  const [, count, unit] = /^(\d+)(ms|[smhd])$/.exec(text) ?? []
  return Number(count) * MS_PER_UNIT[unit as Unit]
}
