/** A dot and a slash in overlong UTF-8, in IIS's `%u` notation and in their wide forms. */
const DOT = /%u(?:002e|ff0e)|%c0%ae|%e0%80%ae|%ef%bc%8e/g
const SLASH = /%u(?:002f|005c|ff0f)|%c0%af|%c1%9c|%e0%80%af|%ef%bc%8f|%5c|\\/g

/**
 * The maximum number of unescaping rounds. Nested escapes of `%` itself are undone in one round.
 */
const ROUNDS = 4

/** Replaces a slash that was not escaped. A URL's path contains no control character. */
const PLAIN_SLASH = '\n'

/**
 * Whether an origin may read the path of a request's URL as one outside of the folder in
 * ORIGIN_URL: `/..%2fadmin`, `/..;/admin`, `/a/%252e%252e%255c..%2f`. Only segments between
 * unescaped slashes count as depth, since not every origin splits at escaped slashes.
 */
export function stepsOut(pathname: string): boolean {
  if (!/%|\.\./.test(pathname)) return false
  let depth = 0
  for (const segment of unescapeFully(pathname).split(PLAIN_SLASH)) {
    const parts = segment.split('/')
    const ups = parts.filter((part) => part === '..').length
    if (ups > 0) depth -= ups
    else if (parts.some((part) => part !== '' && part !== '.')) depth++
    if (depth < 0) return true
  }
  return false
}

/**
 * Unescapes a path. Removes parameters, and what an origin may cut off or skip: `..%00`, `..%20`,
 * `..%23`.
 */
function unescapeFully(pathname: string): string {
  let text = pathname.toLowerCase().replaceAll('/', PLAIN_SLASH)
  for (let round = 0; round < ROUNDS && text.includes('%'); round++) {
    text = text
      .replace(/%(?:25)+/g, '%')
      .replace(DOT, '.')
      .replace(SLASH, '/')
      .replace(/%[01][\da-f]|%20|%7f/g, '')
      .replace(/%[2-7][\da-f]/g, (code) => String.fromCharCode(Number(`0x${code.slice(1)}`)))
  }
  return text.replace(/[;?#][^/\n]*/g, '')
}
