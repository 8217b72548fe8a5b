import { StoreError, type StoreErrorCode } from '../../errors.ts'
import { redactedMessage } from '../../redact.ts'

/**
 * The text before a server's message: names of a client library's errors ("ReplyError: "), and up
 * to Redis 6 the position in the script ("ERR Error running script (call to f_…): @user_script:6:
 * -OOM").
 */
const BEFORE =
  /^(?:[A-Z]?[a-z][\w -]*: )*(?:ERR Error running script[^:]*: (?=@?user_script)(?:@?user_script: ?\d+: )*-?)?/

/** Returns only the server's message. It begins with a code if there is a code. */
export const wordsIn = (said: string): string => said.replace(BEFORE, '')

/** A code: the first word of an error reply, in capitals. Not "ECONNREFUSED", which is Node's. */
const CODE = /^(?!E(?!RR |XEC))[A-Z][A-Z\d_]+(?= |$)/

/**
 * The code of an error reply: "OOM" of "OOM command not allowed …"; '' if there is none. The rest
 * of the message may be anything, even a key named "OOM".
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
export const codeIn = (said: string): string => CODE.exec(wordsIn(said))?.[0] ?? ''

/* Without a specific code, as of Redis 7.0 and REST, the first words identify the error. */
const FORBIDDEN = /^(?:NOPERM|ERR The user executing the script can't run) /
const UNAUTHORIZED = /^(?:WRONGPASS|NOAUTH|(?:ERR )?(?:unauthorized|invalid token))\b/i
const CLUSTER = /^(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN) /
const REFUSED =
  /^(?:OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN|NOREPLICAS|DENIED|EXECABORT|ERR max) /

/**
 * The value under a key is not a count, the key is in a slot of another node, or the server does not
 * know the script: other calls work.
 */
const OF_CALL =
  /^(?:WRONGTYPE|MOVED|ASK|CROSSSLOT|TRYAGAIN|NOSCRIPT) |not an integer|is no count|would overflow/

/** Words of Node and of client libraries about a command that was never sent. */
const NOT_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|enableOfflineQueue|client is (?:closed|offline)/i

/**
 * Converts an error of the connection of the store `name` to a `StoreError`.
 *
 * @param secrets the keys and clients of the call, which the server's text may quote
 */
export function redisError(
  name: string,
  error: unknown,
  secrets: readonly string[] = [],
  signal?: AbortSignal,
): StoreError {
  const words = redactedMessage(error)
  const [code, hint] = signal?.aborted ? (['timeout', ''] as const) : classify(error, words)
  const scope = OF_CALL.test(wordsIn(words)) ? 'key' : 'store'
  const isRefused = [FORBIDDEN, UNAUTHORIZED, CLUSTER, REFUSED, OF_CALL].some((text) =>
    text.test(wordsIn(words)),
  )
  const mayHaveCounted = code === 'timeout' || !(isRefused || NOT_SENT.test(words))
  const said = redactedMessage(error, secrets)
  const cause = new Error(said)
  return new StoreError(code, `${name}: ${said}${hint}`, { cause, scope, mayHaveCounted })
}

function classify(error: unknown, said: string): readonly [StoreErrorCode, string] {
  if (error instanceof StoreError) return [error.code, '']
  const words = wordsIn(said)
  if (FORBIDDEN.test(words)) {
    return ['unauthorized', ' (a read-only token cannot count: use the token with write access)']
  }
  if (UNAUTHORIZED.test(words)) {
    return ['unauthorized', ' (the database does not accept this token)']
  }
  if (CLUSTER.test(words)) {
    return ['rejected', ' (a node of a Redis Cluster: pass redis() a cluster client)']
  }
  return [CODE.test(words) ? 'rejected' : 'unreachable', '']
}

/** Words of Redis 6 and 7, and of proxies: the script ran, or a server is not available. */
const NOT_OF_FORM =
  /running script|on @user_script|no count|not an integer|time(?:d )?out|connection|upstream|unavailable|internal|migrat|try again/i

/**
 * Whether a server replied that it does not accept the script in this form, and so did not run it.
 * Servers have different words for that, so this is true for each reply without the words of
 * another error.
 */
export function rejectsForm(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StoreError) return false
  const words = wordsIn(redactedMessage(error))
  const others = [FORBIDDEN, UNAUTHORIZED, CLUSTER, REFUSED, NOT_OF_FORM]
  if (others.some((other) => other.test(words))) return false
  // A reply without a code may be that of a proxy, about a command that ran.
  return CODE.test(words) || error.name === 'ReplyError' || isOfScript(words)
}

/** Whether the words are about the text of a script, and so come from the server that runs it. */
export const isOfScript = (words: string): boolean => /script|symbol|flag/i.test(words)

/**
 * Whether a server replied that it does not know the script of this hash, and so did not run it.
 */
export function isUnknownHash(error: unknown): boolean {
  if (!rejectsForm(error)) return false
  const words = wordsIn(redactedMessage(error))
  return /^NOSCRIPT\b|\b(?:no|unknown|missing)\b.*\bscript|\bscript\b.*\b(?:not|unknown|missing)\b/i.test(
    words,
  )
}
