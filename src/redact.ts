/** In characters. The rest of a longer text is cut off. */
const MAX_LENGTH = 200

/**
 * Returns the message of an error without what may be secret or name a client: the command that a
 * client library quotes with its keys, the user and password and the path of a URL, e-mail
 * addresses, tokens, passwords and keys that are named as such, and each text of `secrets`. Adds
 * the code of the cause, since Node hides the reason of a failed `fetch` there, and before it the
 * name of the error if `isNamed`. One line, without control characters.
 */
export function redactedMessage(
  error: unknown,
  secrets: readonly string[] = [],
  isNamed = false,
): string {
  const text = textOf(error, isNamed)
    .replace(/,? ?(?:command was:|with args beginning with:)[\s\S]*/i, '')
    // A server must not write lines of its own into the log.
    .replace(/[\s\p{C}]+/gu, ' ')
    // Each word is read once, however long a server makes it: `(?=(…))\1` never backtracks.
    .replace(/(?<!\S)(?=(\S*?:\/\/))\1\S*@/g, '$1')
    // Redis names the place in a script "@user_script:1".
    .replace(/(?<!\S)(?!@user_script)\S*@\S*/g, '…')
    .replace(/(:\/\/[^\s/?#"']*)[/?#][^\s"']*/g, '$1/…')
    .replace(/(bearer |basic |(?:token|password|secret|key)["']?[=:] ?["']?)[^\s"']+/gi, '$1…')
  // A client is a part of its key.
  return secrets
    .toSorted((a, b) => b.length - a.length)
    .reduce((shown, secret) => (secret ? shown.replace(placesOf(secret), '…') : shown), text)
    .slice(0, MAX_LENGTH)
}

/** Where a text names a secret. A client named "a" is not in every word. */
function placesOf(secret: string): RegExp {
  const literal = secret.replace(/\W/g, '\\$&')
  return new RegExp(secret.length < 4 ? `(?<!\\w)${literal}(?!\\w)` : literal, 'g')
}

/** The whole message. Code of others may throw anything, also a value that cannot be converted. */
function textOf(error: unknown, isNamed: boolean): string {
  try {
    if (!(error instanceof Error)) return String(error)
    const { name, message, cause } = error
    const reason = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
    return (isNamed ? `${name}: ` : '') + message + reason
  } catch {
    return 'an error that cannot be shown'
  }
}
