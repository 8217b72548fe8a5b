/** Escapes of `/` and `\` stay: they separate segments at some origins and not at others. */
export const SEPARATORS = /%(?=2f|5c)/g

/** The same, and escapes of `%`, `.` and `;`: origins undo them before or after other steps. */
export const STRUCTURAL = /%(?=2[5ef]|3b|5c)/g

/**
 * Unescapes a path once and returns it in lower case. `kept` and broken escapes stay as they are.
 * Bytes that are no UTF-8 become U+FFFD; NUL becomes `#`, since both can end a path. `%u0061` is
 * read as `a`, as IIS does. Uses the parser for forms, because a client chooses the path and this
 * parser takes linear time for every input. `decodeURIComponent` would throw at every escape that
 * is no UTF-8.
 */
export function unescapePath(path: string, kept: RegExp): string {
  if (!path.includes('%')) return path
  const form = path
    .replaceAll('%u00', '%')
    .replaceAll('%00', '%23')
    .replace(kept, '%25')
    .replaceAll('+', '%2b')
    .replaceAll('&', '%26')
  return `${new URLSearchParams(`=${form}`).get('')}`.toLowerCase()
}
