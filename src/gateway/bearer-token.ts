import { timingSafeEqual } from 'node:crypto'
import type { GatewayRequest } from './http.ts'

/**
 * Returns a function that checks whether a text is one of the tokens, in constant time: it compares
 * all tokens to their end, each padded to the length of the longest.
 */
export function tokenChecker(tokens: readonly string[]): (given: string) => boolean {
  const lengths = tokens.map((token) => Buffer.byteLength(token))
  const longest = Math.max(...lengths)
  const padded = (text: string) => {
    const bytes = Buffer.alloc(longest)
    bytes.write(text)
    return bytes
  }
  const expected = tokens.map(padded)

  return (given) => {
    const bytes = padded(given)
    const length = Buffer.byteLength(given)
    const found = expected.map((token, i) => timingSafeEqual(token, bytes) && length === lengths[i])
    return found.includes(true)
  }
}

/** Returns the token of a request: from its header, or from its query without that header. */
export function tokenOf({ headers }: GatewayRequest, query: string): string {
  const header = headers.authorization
  if (header === undefined) return new URLSearchParams(query).get('_token') ?? ''
  return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? ''
}
