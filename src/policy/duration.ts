import { ConfigError, show } from '../errors.ts'

/** Milliseconds, or a whole number with a unit: `'500ms'`, `'10s'`, `'1m'`, `'1h'`, `'1d'`. */
export type Duration = number | `${number}${Unit}`

type Unit = keyof typeof MS

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The largest whole number that a header field can carry (RFC 9651 §3.3.1). */
export const MAX_INTEGER = 999_999_999_999_999

/** A duration in ms, at least 1. Throws a `ConfigError` that names the option. */
export function parseDuration(option: string, value: unknown): number {
  const ms = typeof value === 'string' ? parseText(value) : value
  if (isCount(ms)) return ms
  throw new ConfigError(
    option,
    show(value),
    'a time such as "10s", "1m", "1h" or "1d", or a whole number of milliseconds from 1',
  )
}

/** A duration that a timer can wait for: longer ones go off at once. */
export function parseTimeout(option: string, value: unknown): number {
  const ms = parseDuration(option, value)
  if (ms < 2 ** 31) return ms
  throw new ConfigError(option, show(value), 'a time of at most 24 days')
}

function parseText(text: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(count) * MS[unit as Unit]
}

/** Whether a value is a whole number from 1 that a header field can carry. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_INTEGER
}
