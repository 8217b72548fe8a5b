import { StoreError } from '../errors.ts'
import { redactedMessage } from '../redact.ts'
import { codeIn } from '../stores/redis-protocol/redis-error.ts'

/**
 * Why a command brought no result:
 * - `timeout`: no answer in time
 * - `late`: the time for the whole examination was used up before it was asked
 * - `unreachable`: no connection, or an answer that is none
 * - `unauthorized`: the token, user or password is not one of the server's
 * - `forbidden`: they are, and may not do this
 * - `refused`: the server answered with another error
 */
export type TroubleKind =
  | 'timeout'
  | 'late'
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'refused'

export interface Trouble {
  readonly kind: TroubleKind
  /** What the server or the network said, fit to be shown. */
  readonly said: string
}

/** Redis 7.0 has no code for a script whose inner command the user may not run, only these words. */
const FORBIDDEN =
  /has no permissions|can't run this command|\bnot (?:permitted|allowed|available|supported)\b|unknown command|unsupported command|command is disabled/i
const UNAUTHORIZED = /\b(?:unauthorized|invalid token)\b/i
/** Codes that say why a command is refused to everybody: "OOM command not allowed …". */
const REFUSED =
  /^(?:OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|CROSSSLOT|NOREPLICAS|NOSCRIPT|EXECABORT)$/

/** Whatever was thrown, sorted by what it means for whoever looks. */
export function troubleOf(error: unknown): Trouble {
  if (isTrouble(error)) return error
  const said = saidBy(error)
  if (error instanceof StoreError && error.code === 'timeout') return { kind: 'timeout', said }
  // The code first: the rest of the message may quote anything.
  const code = codeIn(said)
  if (/^(?:WRONGPASS|NOAUTH)$/.test(code)) return { kind: 'unauthorized', said }
  if (code === 'NOPERM') return { kind: 'forbidden', said }
  if (REFUSED.test(code)) return { kind: 'refused', said }
  if (UNAUTHORIZED.test(said)) return { kind: 'unauthorized', said }
  if (FORBIDDEN.test(said)) return { kind: 'forbidden', said }
  if (code === 'ERR') return { kind: 'refused', said }
  if (error instanceof StoreError && error.code !== 'unreachable') {
    return { kind: error.code === 'unauthorized' ? 'unauthorized' : 'refused', said }
  }
  return { kind: 'unreachable', said }
}

/**
 * A trouble that can be thrown. It is no error class: it never leaves the doctor.
 */
export const trouble = (kind: TroubleKind, said: string): Trouble & Error =>
  Object.assign(new Error(said), { kind, said })

const isTrouble = (error: unknown): error is Trouble & Error =>
  error instanceof Error && 'kind' in error && 'said' in error

/**
 * The words of an error that may be shown. Without what the doctor itself makes up, such as the keys
 * of its probes, and without the user whom an error of ACL names.
 */
const saidBy = (error: unknown): string =>
  redactedMessage(error)
    .replace(/^store: /, '')
    .replace(/\buser '?[^\s']+'? has no/gi, 'this user has no')
    .replace(/ ?script: [0-9a-f]{40}.*/, '')
    .replace(/\S*[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\S*/g, '…')
    .replace(/"[^"]*"/g, '"…"')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 160)
