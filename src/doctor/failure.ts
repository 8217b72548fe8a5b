import { StoreError } from '../errors.ts'
import { redactedMessage } from '../redact.ts'
import { codeIn } from '../stores/redis-protocol/redis-error.ts'

/**
 * Why a command has no result:
 * - `timeout`: no answer in time
 * - `late`: not sent, because the time for all checks was used up
 * - `unreachable`: no connection, or an answer that is not Redis'
 * - `unauthorized`: the server rejects the token, user or password
 * - `forbidden`: the server accepts the token or user, but does not permit this command
 * - `refused`: the server answered with another error
 */
export type FailureKind =
  | 'timeout'
  | 'late'
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'refused'

/** Why a command failed. */
export interface Failure {
  readonly kind: FailureKind
  /** The text of the server or the network, without secrets. */
  readonly message: string
}

/**
 * Matches errors about permissions. Redis 7.0 has no code for a forbidden command in a script, only
 * this text.
 */
const FORBIDDEN =
  /has no permissions|can't run this command|\bnot (?:permitted|allowed|available|supported)\b|unknown command|unsupported command|command is disabled/i
const UNAUTHORIZED = /\b(?:unauthorized|invalid token)\b/i
/** Codes of errors that do not depend on the user: "OOM command not allowed …". */
const REFUSED =
  /^(?:OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|CROSSSLOT|NOREPLICAS|NOSCRIPT|EXECABORT)$/

/** Classifies an error that a store or a command threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OutOfTime) return error
  const message = messageOf(error)
  if (error instanceof StoreError && error.code === 'timeout') return { kind: 'timeout', message }
  // The code comes first, because the rest of the message may quote anything.
  const code = codeIn(message)
  if (/^(?:WRONGPASS|NOAUTH)$/.test(code)) return { kind: 'unauthorized', message }
  if (code === 'NOPERM') return { kind: 'forbidden', message }
  if (REFUSED.test(code)) return { kind: 'refused', message }
  if (UNAUTHORIZED.test(message)) return { kind: 'unauthorized', message }
  if (FORBIDDEN.test(message)) return { kind: 'forbidden', message }
  if (code === 'ERR') return { kind: 'refused', message }
  if (error instanceof StoreError && error.code !== 'unreachable') {
    return { kind: error.code === 'unauthorized' ? 'unauthorized' : 'refused', message }
  }
  return { kind: 'unreachable', message }
}

/**
 * The time for all checks is used up. The doctor itself throws it, and it never leaves the doctor.
 */
export class OutOfTime extends Error implements Failure {
  readonly kind = 'late'
  override readonly message = 'no time was left'
}

/**
 * The message of an error without secrets, without the keys of the doctor's own probes, and without
 * the user whom an error of ACL names.
 */
const messageOf = (error: unknown): string =>
  redactedMessage(error)
    .replace(/^store: /, '')
    .replace(/^the store did not answer/, 'no answer')
    .replace(/\buser '?[^\s']+'? has no/gi, 'this user has no')
    .replace(/ ?script: [0-9a-f]{40}.*/, '')
    .replace(/\S*[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\S*/g, '…')
    .replace(/"[^"]*"/g, '"…"')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 160)
