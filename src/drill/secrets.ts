import { decodingsOf, percentDecodings } from './decodings.ts'

/** Shorter texts occur in any output by chance. */
const MIN_SECRET_CHARS = 4
const MIN_PART_CHARS = 6

/** A segment of a path that is as long as a token, and has both letters and digits. */
const TOKEN = /^(?=.*\d)(?=.*[a-z]).{16,}$/i

/**
 * The texts that may be secret in values of header fields and in a URL, the longest first: a part of
 * a secret must not hide the rest of it.
 */
export function secretsOf(values: readonly string[], url: URL): readonly string[] {
  const query = [...url.searchParams].flatMap(([name, value]) => (value === '' ? [name] : [value]))
  const segments = url.pathname
    .split(/[/;]/)
    .filter((segment) => TOKEN.test(segment))
    .flatMap((segment) => [segment, ...percentDecodings(segment)])
  const secrets = [...values, ...query, ...segments].flatMap(textsIn)
  return [...new Set(secrets)].sort((a, b) => b.length - a.length)
}

/**
 * A value, its parts, such as the token after `Bearer` and the value of each cookie, and what
 * `Basic` has in base64: user and password.
 */
function textsIn(value: string): readonly string[] {
  const [, encoded] = /^basic +(\S+)$/i.exec(value) ?? []
  const credentials = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const [user = '', ...password] = credentials.split(':')
  const whole = [value, credentials, user, password.join(':')]
  const parts = value.split(/[\s;,=:"&{}[\]()]+/)
  return [
    ...whole.filter(({ length }) => length >= MIN_SECRET_CHARS),
    ...parts.filter(({ length }) => length >= MIN_PART_CHARS),
  ]
}

/**
 * Returns a text without secrets, and without characters that a terminal may obey: a server may
 * send back what it got. A word that contains a secret in percent-encoding or base64 is left out.
 * Letter case makes no difference, since hosts and media types are read without it.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const visible = text.replace(/\p{C}/gu, '?')
  const shown = secrets.reduce(hide, visible)
  const lower = secrets.map((secret) => secret.toLowerCase())
  const isSecret = (word: string) =>
    decodingsOf(word).some((decoded) =>
      lower.some((secret) => decoded.toLowerCase().includes(secret)),
    )
  return shown.replace(/\S+/g, (word) => (isSecret(word) ? '…' : word))
}

function hide(text: string, secret: string): string {
  const literal = secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return text.replace(RegExp(literal, 'gi'), '…')
}

/** A text of the server as findings show it. It is cut off last, since a part of a secret is one. */
export const quote = (text: string, secrets: readonly string[], most: number) =>
  redact(text, secrets).slice(0, most)
