/** In characters. The rest of a longer text is cut off. */
const MAX_LENGTH = 200

/**
 * Returns the message of an error without what may be secret or name a client: the command that a
 * client library quotes with its keys, the user and password and the path of a URL, e-mail
 * addresses, tokens, passwords and keys that are named as such, and each text of `secrets`. Adds the
 * code of the cause, since Node hides the reason of a failed `fetch` there.
 */
export function redactedMessage(error: unknown, secrets: readonly string[] = []): string {
  const { message = String(error), cause } = error instanceof Error ? error : { cause: undefined }
  const reason = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  const text = (message + reason)
    .replace(/,? ?(?:command was:|with args beginning with:)[\s\S]*/i, '')
    .replace(/:\/\/\S*@/g, '://')
    // Redis names the place in a script "@user_script:1".
    .replace(/(?!@user_script)\S*@\S*/g, '…')
    .replace(/(:\/\/[^\s/?#"']*)[/?#][^\s"']*/g, '$1/…')
    .replace(/(bearer |basic |(?:token|password|secret|key)["']?[=:] ?["']?)[^\s"']+/gi, '$1…')
  return secrets
    .reduce((shown, secret) => (secret ? shown.replaceAll(secret, '…') : shown), text)
    .slice(0, MAX_LENGTH)
}
