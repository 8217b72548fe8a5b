import { assertChoice } from '../checks.ts'
import { draft11 } from './draft-11.ts'
import type { FieldWriter } from './field-writer.ts'
import { xRateLimit } from './x-ratelimit.ts'

const WRITERS = { 'draft-11': draft11, 'x-ratelimit': xRateLimit } as const

/** A revision of the rate limit fields. */
export type HeaderStyle = keyof typeof WRITERS

/** The writers of one limiter, in the order of its option `headers`. */
export type FieldWriters = readonly FieldWriter[]

/** Compiles the option `headers`. Throws a `ConfigError` for an unknown style. */
export function compileFieldWriters(styles: HeaderStyle | readonly HeaderStyle[]): FieldWriters {
  return [...new Set([styles].flat())].map((style) => {
    assertChoice('headers', style, Object.keys(WRITERS))
    return WRITERS[style]
  })
}
