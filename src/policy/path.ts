import { insist } from '../errors.ts'
import { parseUrl, splitUrl } from '../url.ts'

/** The ways in which origins read the path of one request, such as `/a/b`; the root is empty. */
export type Path = readonly string[]

/** A URL whose path all origins read alike. */
const PLAIN = /^https?:\/\/[^/?#\\]+((?:\/[a-z\d_~-][a-z\d_~.-]*)*)\/?(?:[?#]|$)/

/**
 * Reads a path in every way in which an origin may: letter case, doubled slashes and escapes never
 * matter; whether an escaped slash separates, whether `;parameters` belong to a segment, and
 * whether an escaped `..` steps up, origins disagree on. A policy that matches one reading counts
 * the request, or a client could walk round it by spelling.
 */
export function parsePath(url: string): Path {
  const plain = PLAIN.exec(url)?.[1]
  if (plain !== undefined) return [plain]
  const path = decode(parseUrl(url)?.pathname ?? splitUrl(url).path).toLowerCase()
  const cuts = [path, path.replaceAll('%2f', '/'), path.replace(/%2f|%5c/g, '/')]
  const readings = new Set(cuts.flatMap((cut) => [cut, cut.replace(/;[^/]*/g, '')]))
  return [...readings].flatMap((reading) => [resolve(reading, false), resolve(reading, true)])
}

/** Unescapes all but what may separate segments; what is no UTF-8 stays as it is. */
function decode(path: string): string {
  return path.replace(/%(?!2f|5c)[0-7][\da-f]|(?:%[89a-f][\da-f])+/gi, (text) => {
    try {
      return decodeURIComponent(text)
    } catch {
      return text
    }
  })
}

/** A path without empty segments, in which `..` may step up. */
function resolve(path: string, up: boolean): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (up && segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(`/${segment}`)
  }
  return segments.join('')
}

/** A whole path: literal segments, `*` or `:name` for any one segment, `*` last for all below. */
const PATTERN = /^\/$|^(?:\/(?:\*|:\w+|[^\s/\\*:?#;]+))+\/?$/

/**
 * Compiles a pattern as Hono and Next.js write them: `/api/*` is `/api` and all below it, `*` or
 * `:name` before the end leaves one segment open, `/` is the root alone.
 */
export function compilePath(option: string, pattern: unknown): RegExp {
  const want = 'a path such as "/users/:id" or "/api/*"'
  insist(typeof pattern === 'string' && PATTERN.test(pattern), option, pattern, want)
  const segments = pattern.split('/').filter(Boolean)
  const open = segments.at(-1) === '*'
  if (open) segments.pop()
  const parts = segments.map((segment) => {
    if (/^[*:]/.test(segment)) return '/[^/]+'
    // Literals take the form of requests' paths: "%2A" is a star and no wildcard, "%2e" is nothing.
    const [literal] = parsePath(`http://host/${segment}`)
    insist(literal, option, pattern, want)
    return literal.replace(/[^\w/]/g, '\\$&')
  })
  return RegExp(`^${parts.join('')}${open ? '(?:/|$)' : '$'}`)
}
