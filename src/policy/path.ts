import { assertOption } from '../checks.ts'
import { parseUrl, splitUrl } from '../url.ts'
import { SEPARATOR_ESCAPES, STRUCTURAL_ESCAPES, unescapePath } from './unescape.ts'

/** All paths that origins may read from one request, such as `/a/b`. The root is ''. */
export type PathReadings = readonly string[]

/** A URL whose path all origins read alike. */
const PLAIN = /^https?:\/\/[^/?#\\]+((?:\/[a-z\d_~-][a-z\d_~.-]*)*)\/?(?:[?#]|$)/

/** A reading that every pattern matches. */
const ANY_PATH = '*'

/**
 * How many characters the readings of one path may have together. Each reading adds
 * `READING_COST_CHARS`, so there are 40 at most. A path that needs more matches every pattern: it
 * is counted, and no client can make a check slow.
 */
const MAX_READINGS_CHARS = 8_192
const READING_COST_CHARS = 200

/** Characters that let origins read a path differently. All transforms below need one of them. */
const AMBIGUOUS = /[;%?#]/

/** A part that may become `..`, even if it is escaped several times. */
const MAYBE_PARENT = /\.\.|2e/

/**
 * What origins do to a path before they route it, besides unescaping. The order differs: Tomcat
 * removes `;parameters`, then unescapes, then resolves `..`; nginx unescapes and resolves `..` at
 * once; Go splits the path before it unescapes.
 */
const TRANSFORMS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/%2f/g, '/'),
  (path) => path.replace(/%5c/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  // Code that parses the unescaped path as a URL, or as a NUL-terminated string, stops here.
  (path) => path.replace(/[?#].*/s, ''),
  // RFC 3986 §5.2.4 resolves `/a//..` to `/a/`; an origin that merges slashes first, to `/`.
  (path) => (MAYBE_PARENT.test(path) ? path.replace(/\/{2,}/g, '/') : path),
  removeDotSegments,
]

/**
 * Reads a path in every way in which an origin may: with unescaping and the transforms above, in
 * any order and number. A policy counts a request if it matches one of the readings, so that no
 * client can evade a policy by another spelling. Ignores letter case and doubled slashes.
 */
export function parsePath(url: string): PathReadings {
  const plain = PLAIN.exec(url)?.[1]
  if (plain !== undefined) return [plain]
  const path = unescapePath(pathOf(url).toLowerCase(), STRUCTURAL_ESCAPES)
  if (!AMBIGUOUS.test(path)) return [removeEmptySegments(path)]
  const found = new Set([path])
  const readings = new Set<string>()
  let chars = 0
  for (const text of found) {
    chars += text.length + READING_COST_CHARS
    if (chars > MAX_READINGS_CHARS) return [ANY_PATH]
    const unescaped = unescapePath(text, SEPARATOR_ESCAPES)
    readings.add(removeEmptySegments(unescaped))
    for (const next of [unescaped, ...TRANSFORMS.map((transform) => transform(text))])
      found.add(next)
  }
  return [...readings]
}

/** Before compatibility date 2022-10-31, `URL` on Workers throws at a `%` that escapes nothing. */
const pathOf = (url: string) => parseUrl(url)?.pathname ?? splitUrl(url).path

const removeEmptySegments = (path: string): string => path.replace(/\/+(?=\/|$)/g, '')

function removeDotSegments(path: string): string {
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
 * Compiles a pattern in the notation of Hono and Next.js: `/api/*` is `/api` and all paths below
 * it, `*` or `:name` before the end is any one segment, `/` is the root alone. Ignores dots and
 * blanks at the end of a segment, as Windows does, and a leading `/index.php`, as PHP does.
 */
export function compilePath(option: string, pattern: unknown): RegExp {
  const expected = 'a path such as "/users/:id" or "/api/*"'
  const isPattern = typeof pattern === 'string' && PATTERN.test(pattern)
  assertOption(isPattern, option, pattern, expected, hintFor(pattern))
  const segments = pattern.split('/').filter(Boolean)
  const open = segments.at(-1) === '*'
  if (open) segments.pop()
  const parts = segments.map((segment) => {
    if (/^[*:]/.test(segment)) return '/[^/]+'
    // Parsed like the path of a request: "%2A" is a literal star, and "%2e" is an empty segment.
    const [literal] = parsePath(`http://host/${segment}`)
    assertOption(literal, option, pattern, expected)
    return `${literal.replace(/[^\w/]/g, '\\$&')}[.\\s]*`
  })
  return RegExp(`^(?:\\*$|(?:/index\\.php)?${parts.join('')}${open ? '(?:/|$)' : '$'})`)
}

/** Suggests a pattern for another router's notation: `/a/[id]`, `/a/:path*`, `/a/(.*)`. */
function hintFor(pattern: unknown): string {
  if (typeof pattern !== 'string') return ''
  const meant = pattern
    .replace(/\/(?::\w+[*+]|\(\.\*\)|\*\*|\*\w+|\[{1,2}\.{3}\w+\]{1,2})$/, '/*')
    .replace(/[[{](\w+)[\]}]/g, ':$1')
  return meant !== pattern && PATTERN.test(meant) ? ` (did you mean "${meant}"?)` : ''
}
