/** Shorter texts occur in any output by chance. */
const MIN_SECRET_CHARS = 4
const MIN_PART_CHARS = 6

/**
 * The texts that may be secret in values of header fields and queries: each value, and its parts,
 * such as the token after `Bearer` and the value of each cookie.
 */
export function secretsIn(values: readonly string[]): readonly string[] {
  const parts = values.flatMap((value) => value.split(/[\s;,=:"]+/))
  const secrets = [
    ...values.filter(({ length }) => length >= MIN_SECRET_CHARS),
    ...parts.filter(({ length }) => length >= MIN_PART_CHARS),
  ]
  // The longest first: a part of a secret must not hide the rest of it.
  return [...new Set(secrets)].sort((a, b) => b.length - a.length)
}

/**
 * Returns a text without secrets, and without characters that a terminal may obey: a server may
 * send back what it got.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const visible = text.replace(/\p{C}/gu, '?')
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), visible)
}
