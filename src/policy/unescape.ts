const PERCENT = 0x25
const HASH = 0x23

/** Never unescaped: `/` and `\`, which separate segments at some origins and not at others. */
export const isSeparator = (code: number): boolean => code === 0x2f || code === 0x5c

/** And `%`, `.` and `;`: origins unescape them before or after other steps. */
export const isStructural = (code: number): boolean =>
  isSeparator(code) || code === PERCENT || code === 0x2e || code === 0x3b

const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder()

/**
 * Unescapes a path once and returns it in lower case. Escapes of `kept` characters and broken
 * escapes stay as they are. Bytes that are no UTF-8 become U+FFFD; NUL becomes `#`, since both can
 * end a path. `%u0061` is read as `a`, as IIS does. The path is the client's choice, so this takes
 * linear time and throws nothing.
 */
export function unescapePath(path: string, kept: (code: number) => boolean): string {
  if (!path.includes('%')) return path
  const bytes = encoder.encode(path.replaceAll('%u00', '%'))
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at] ?? 0
    if (byte === PERCENT) {
      const code = digit(bytes[at + 1]) * 16 + digit(bytes[at + 2])
      if (code >= 0 && !kept(code)) {
        byte = code || HASH
        at += 2
      }
    }
    bytes[length++] = byte
  }
  return decoder.decode(bytes.subarray(0, length)).toLowerCase()
}

/** Negative for what is no lower-case hex digit. */
function digit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -256
}
