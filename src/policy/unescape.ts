/** Escapes of `/` and `\`, which separate segments at some origins and not at others. */
export const SEPARATOR_ESCAPES = /%(?=2f|5c)/g

/** Also escapes of `%`, `.` and `;`, which origins undo before or after other steps. */
export const STRUCTURAL_ESCAPES = /%(?=2[5ef]|3b|5c)/g

/**
 * Unescapes a path once and returns it in lower case. `kept` and broken escapes stay as they are.
 * Bytes that are not UTF-8 become U+FFFD. NUL becomes `#`, since both can end a path. `%u0061`
 * becomes `a`, as in IIS. Uses the parser for forms, which takes linear time for every path that a
 * client may send. `decodeURIComponent` throws at bytes that are not UTF-8.
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
