import { ConfigError, show } from '../errors.ts'

/** The segments of a path, in the one form in which paths are compared. */
export type Path = readonly string[]

/**
 * Cuts the path of a URL into segments. Whatever an origin may take for the same path becomes the
 * same here, or a client could walk round a policy by spelling: letter case, doubled and trailing
 * slashes, escaped ASCII (also of a slash or a dot), `;parameters`.
 */
export function parsePath(url: string): Path {
  const { pathname } = new URL(url)
  const decoded = pathname.replace(/%[0-7][\da-f]/gi, decodeURIComponent)
  const path: string[] = []
  for (const segment of decoded.toLowerCase().split(/[/\\]/)) {
    const name = segment.replace(/;.*/, '')
    if (name === '..') path.pop()
    else if (name !== '' && name !== '.') path.push(name)
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
  if (typeof pattern !== 'string' || !PATTERN.test(pattern)) {
    throw new ConfigError(
      option,
      show(pattern),
      'a path that a request can have, such as "/login", "/users/:id" or "/api/*"',
    )
  }
  // Literals take the form in which requests arrive: a space or an umlaut escaped.
  const parts = parsePath(`http://host${pattern}`)
  const open = parts.at(-1) === '*'
  const fixed = open ? parts.slice(0, -1) : parts
  const matches = fixed.map((part) => (part === '*' || part.startsWith(':') ? undefined : part))
  return (path) =>
    (open ? path.length >= fixed.length : path.length === fixed.length) &&
    matches.every((part, index) => part === undefined || part === path[index])
}
