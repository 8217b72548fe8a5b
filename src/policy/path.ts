import { assertOption } from '../checks.ts'
import { parseUrl, splitUrl } from '../url.ts'
import { SEPARATORS, STRUCTURAL, unescapePath } from './unescape.ts'

/** The ways in which origins read the path of one request, such as `/a/b`; the root is empty. */
export type Path = readonly string[]

/** A URL whose path all origins read alike. */
const PLAIN = /^https?:\/\/[^/?#\\]+((?:\/[a-z\d_~-][a-z\d_~.-]*)*)\/?(?:[?#]|$)/

/** A reading that every pattern matches. */
const ANY = '*'

/**
 * How many characters the readings of one path may have together. Each reading adds `OWN_COST`, so
 * there are 40 at most. A path that needs more matches every pattern: it is counted, and no client
 * can make a check slow.
 */
const MAX_READ = 8_192
const OWN_COST = 200

/**
 * The characters that let origins read a path differently: all the steps below need one of them.
 */
const ODD = /[;%?#]/

/** What may become `..`, even if it is escaped several times. */
const UP = /\.\.|2e/

/**
 * What origins do to a path besides unescaping it, before they route it. The order differs: Tomcat
 * cuts off `;parameters`, then unescapes, then steps up; nginx unescapes and steps up at once; Go
 * splits before it unescapes.
 */
const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/%2f/g, '/'),
  (path) => path.replace(/%5c/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  // Code that parses the unescaped path as a URL, or as a NUL-terminated string, stops here.
  (path) => path.replace(/[?#].*/s, ''),
  // RFC 3986 §5.2.4 resolves `/a//..` to `/a/`; an origin that merges slashes first, to `/`.
  (path) => (UP.test(path) ? path.replace(/\/{2,}/g, '/') : path),
  (path) => stepUp(path),
]

/**
 * Reads a path in every way in which an origin may: unescaping and the steps above, each taken or
 * left out, in any order and number. A policy counts the request if it matches one reading.
 * Otherwise a client could evade it by another spelling. Letter case and doubled slashes never
 * matter.
 */
export function parsePath(url: string): Path {
  const plain = PLAIN.exec(url)?.[1]
  if (plain !== undefined) return [plain]
  const path = unescapePath(pathOf(url).toLowerCase(), STRUCTURAL)
  if (!ODD.test(path)) return [withoutEmpty(path)]
  const started = new Set([path])
  const readings = new Set<string>()
  let read = 0
  for (const text of started) {
    read += text.length + OWN_COST
    if (read > MAX_READ) return [ANY]
    const unescaped = unescapePath(text, SEPARATORS)
    readings.add(withoutEmpty(unescaped))
    for (const next of [unescaped, ...STEPS.map((step) => step(text))]) started.add(next)
  }
  return [...readings]
}

/** Before 2022-10-31 the `URL` of Workers throws at a `%` that escapes nothing. */
const pathOf = (url: string) => parseUrl(url)?.pathname ?? splitUrl(url).path

const withoutEmpty = (path: string): string => path.replace(/\/+(?=\/|$)/g, '')

function stepUp(path: string): string {
  if (!path.includes('/.')) return path
  const segments: string[] = []
  for (const segment of path.slice(1).split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`
}

/** A whole path: literal segments, `*` or `:name` for any one segment, `*` last for all below. */
const PATTERN = /^\/$|^(?:\/(?:\*|:\w+|[^\s/\\*:?#;[\]{}]+))+\/?$/

/**
 * Compiles a pattern as Hono and Next.js write them: `/api/*` is `/api` and all below it, `*` or
 * `:name` before the end leaves one segment open, `/` is the root alone. Dots and blanks at the end
 * of a segment do not matter, as in Windows, nor does `/index.php` in front, as in PHP.
 */
export function compilePath(option: string, pattern: unknown): RegExp {
  const want = `a path such as "/users/:id" or "/api/*"${hintFor(pattern)}`
  assertOption(typeof pattern === 'string' && PATTERN.test(pattern), option, pattern, want)
  const segments = pattern.split('/').filter(Boolean)
  const open = segments.at(-1) === '*'
  if (open) segments.pop()
  const parts = segments.map((segment) => {
    if (/^[*:]/.test(segment)) return '/[^/]+'
    // Literals take the form of requests' paths: "%2A" is a star and no wildcard, "%2e" is nothing.
    const [literal] = parsePath(`http://host/${segment}`)
    assertOption(literal, option, pattern, want)
    return `${literal.replace(/[^\w/]/g, '\\$&')}[.\\s]*`
  })
  return RegExp(`^(?:\\*$|(?:/index\\.php)?${parts.join('')}${open ? '(?:/|$)' : '$'})`)
}

/** What is meant by parameters and "all below" as others write them: `/a/[id]`, `/a/:path*`, `/a/(.*)`. */
function hintFor(pattern: unknown): string {
  if (typeof pattern !== 'string') return ''
  const meant = pattern
    .replace(/\/(?::\w+[*+]|\(\.\*\)|\*\*|\*\w+|\[{1,2}\.{3}\w+\]{1,2})$/, '/*')
    .replace(/[[{](\w+)[\]}]/g, ':$1')
  return meant !== pattern && PATTERN.test(meant) ? ` (did you mean "${meant}"?)` : ''
}
