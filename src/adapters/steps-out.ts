/** A dot and a slash in overlong UTF-8, in IIS's `%u` notation and in their wide forms. */
const DOT = /%u(?:002e|ff0e)|%c0%ae|%e0%80%ae|%ef%bc%8e/g
const SLASH = /%u(?:002f|005c|ff0f)|%c0%af|%c1%9c|%e0%80%af|%ef%bc%8f|%5c|\\/g

/** How often a path is unescaped at most; escapes of `%` itself count once, however deep. */
const ROUNDS = 4

/** Stands for a slash that was not escaped, as no control character is left in a path. */
const PLAIN_SLASH = '\n'

/**
 * Whether an origin may read the path of a request's URL as one that leaves the folder it is
 * put under: `/..%2fadmin`, `/..;/admin`, `/a/%252e%252e%255c..%2f`. An escaped `..` may only
 * step up over segments between plain slashes, since not every origin sees the others.
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

/** Without parameters, and without what an origin may cut off or skip: `..%00`, `..%20`, `..%23`. */
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
