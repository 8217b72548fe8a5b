import { ConfigError, show } from '../errors.ts'

/** The ways in which origins read the path of one request, each as its segments. */
export type Path = readonly (readonly string[])[]

/**
 * Reads a path in every way in which an origin may: letter case, doubled slashes and escapes never
 * matter; whether an escaped slash separates, whether `;parameters` belong to a segment, and
 * whether an escaped `..` steps up, origins disagree on. A policy that matches one reading counts
 * the request, or a client could walk round it by spelling.
 */
export function parsePath(url: string): Path {
  const path = decode(new URL(url).pathname).toLowerCase()
  const cuts = new Set([path, path.replaceAll('%2f', '/'), path.replace(/%2f|%5c/g, '/')])
  const readings = new Set([...cuts].flatMap((cut) => [cut, cut.replace(/;[^/]*/g, '')]))
  return [...readings].flatMap((reading) => {
    const segments = reading.split('/').filter((segment) => segment !== '' && segment !== '.')
    return segments.includes('..') ? [segments, stepUp(segments)] : [segments]
  })
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

function stepUp(segments: readonly string[]): readonly string[] {
  const path: string[] = []
  for (const segment of segments) {
    if (segment === '..') path.pop()
    else path.push(segment)
  }
  return path
}

/** A whole path: literal segments, `*` or `:name` for any one segment, `*` last for all below. */
const PATTERN = /^\/$|^(?:\/(?:\*|:\w+|(?!\.{1,2}(?:\/|$))[^\s/\\*:?#;]+))+\/?$/

/**
 * Compiles a pattern as Hono and Next.js write them: `/api/*` is `/api` and all below it, `*` or
 * `:name` before the end leaves one segment open, `/` is the root alone.
 */
export function pathMatcher(option: string, pattern: unknown): (path: Path) => boolean {
  const want = 'a path that a request can have, such as "/login", "/users/:id" or "/api/*"'
  if (typeof pattern !== 'string' || !PATTERN.test(pattern)) {
    throw new ConfigError(option, show(pattern), want)
  }
  const given = pattern.split('/').filter(Boolean)
  // Literals take the form of requests' segments: "%2A" is a star and no wildcard.
  const [literals = []] = parsePath(`http://host${pattern}`)
  if (literals.length !== given.length) throw new ConfigError(option, show(pattern), want)
  const parts = literals.map((literal, i) => (/^[*:]/.test(`${given[i]}`) ? undefined : literal))
  const open = given.at(-1) === '*'
  const fixed = open ? parts.slice(0, -1) : parts
  const fits = (segments: readonly string[]) =>
    (open ? segments.length >= fixed.length : segments.length === fixed.length) &&
    fixed.every((part, i) => part === undefined || part === segments[i])
  return (path) => path.some(fits)
}
