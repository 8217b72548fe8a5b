/** A dot and a slash in overlong UTF-8, in IIS's `%u` notation, and as full-width characters. */
const DOT = /%u(?:002e|ff0e)|%c0%ae|%e0%80%ae|%ef%bc%8e/g
const SLASH = /%u(?:002f|005c|ff0f)|%c0%af|%c1%9c|%e0%80%af|%ef%bc%8f|%5c|\\/g

/** The most rounds of unescaping. One round undoes all nested escapes of `%` itself. */
const MAX_ROUNDS = 4

/** An escaped slash or backslash, in each spelling. */
const ESCAPED_SLASH = RegExp(`%(?:25)*(?:2f|5c)|${SLASH.source}`, 'gi')

/**
 * Whether an origin may read the path of a request's URL as a path outside of the folder in
 * ORIGIN_URL: `/..%2fadmin`, `/..;/admin`, `/a/%252e%252e%255c..%2f`. Not every origin splits a
 * segment at escaped slashes. If all escapes have one spelling, an origin splits at all of them or
 * at no escape. If their spellings differ, an origin may split at some; then only the segments
 * between unescaped slashes add to the depth.
 */
export function canEscapeFolder(pathname: string): boolean {
  if (!/%|\.\./.test(pathname)) return false
  let depth = 0
  for (const segment of pathname.split('/')) {
    const slashes = segment.toLowerCase().match(ESCAPED_SLASH) ?? []
    const parts = unescapeFully(segment).split('/')
    const isUniform = new Set(slashes).size === 1 && slashes.length === parts.length - 1
    const isUp = parts.includes('..')
    const literal = parts.some((part) => part !== '' && part !== '.') ? depth + 1 : depth
    let split = depth
    for (const part of parts) {
      if (part === '..') split--
      else if (part !== '' && part !== '.' && (!isUp || isUniform)) split++
      if (split < 0) return true
    }
    depth = Math.min(split, literal)
  }
  return false
}

/**
 * Unescapes a segment. Removes parameters, and characters that an origin may cut off or skip:
 * `..%00`, `..%20`, `..%23`.
 */
function unescapeFully(segment: string): string {
  let text = segment.toLowerCase()
  for (let round = 0; round < MAX_ROUNDS && text.includes('%'); round++) {
    text = text
      .replace(/%(?:25)+/g, '%')
      .replace(DOT, '.')
      .replace(SLASH, '/')
      .replace(/%[01][\da-f]|%20|%7f/g, '')
      .replace(/%[2-7][\da-f]/g, (code) => String.fromCharCode(Number(`0x${code.slice(1)}`)))
  }
  return text.replace(/[;?#][^/]*/g, '')
}
