import { timingSafeEqual } from 'node:crypto'
import type { Ask } from './http.ts'

/**
 * Whether a text is one of the tokens, in a time that tells nothing about them: all are compared,
 * each to its end, filled up to the length of the longest.
 */
export function tokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const lengths = tokens.map((token) => Buffer.byteLength(token))
  const longest = Math.max(...lengths)
  const filled = (text: string) => {
    const bytes = Buffer.alloc(longest)
    bytes.write(text)
    return bytes
  }
  const expected = tokens.map(filled)

  return (given) => {
    const bytes = filled(given)
    const length = Buffer.byteLength(given)
    const found = expected.map((token, i) => timingSafeEqual(token, bytes) && length === lengths[i])
    return found.includes(true)
  }
}

/** The token that a request brings: in its header or, where it has none, in its query. */
export function tokenOf({ headers }: Ask, query: string): string {
  const header = headers.authorization
  if (header === undefined) return new URLSearchParams(query).get('_token') ?? ''
  return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? ''
}
