import { assertChoice } from '../checks.ts'
import { draft11 } from './draft-11.ts'
import type { FieldWriter } from './writer.ts'
import { xRateLimit } from './x-ratelimit.ts'

const WRITERS = { 'draft-11': draft11, 'x-ratelimit': () => xRateLimit } as const

/** A revision of the rate limit fields. */
export type HeaderStyle = keyof typeof WRITERS

/** The writers that a limiter was told to use, in order. */
export type Fields = readonly FieldWriter[]

/** The writers of one limiter. Throws a `ConfigError` for a style that does not exist. */
export function compileFields(styles: HeaderStyle | readonly HeaderStyle[]): Fields {
  return [...new Set([styles].flat())].map((style) => {
    assertChoice('headers', style, Object.keys(WRITERS))
    return WRITERS[style]()
  })
}
