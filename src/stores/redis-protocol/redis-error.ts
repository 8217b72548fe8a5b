import { StoreError, type StoreErrorCode } from '../../errors.ts'
import { redactedMessage } from '../../redact.ts'

/**
 * The text before a server's message: names of a client's errors ("ReplyError: "), and up to Redis
 * 6 the position in the script ("ERR Error running script (call to f_…): @user_script:6: -OOM …").
 */
const BEFORE =
  /^(?:[A-Z]?[a-z][\w -]*: )*(?:ERR Error running script[^:]*: (?=@?user_script)(?:@?user_script: ?\d+: )*-?)?/

/** A server's message alone. It begins with a code if there is one. */
export const wordsIn = (said: string): string => said.replace(BEFORE, '')

/** A code: the first word of an error reply, in capitals. Not "ECONNREFUSED", which is Node's. */
const CODE = /^(?!E(?!RR |XEC))[A-Z][A-Z\d_]+(?= |$)/

/**
 * The code of an error reply: "OOM" of "OOM command not allowed …"; '' if there is none. The rest
 * of the message may be anything, even a key named "OOM".
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
export const codeIn = (said: string): string => CODE.exec(wordsIn(said))?.[0] ?? ''

/* If Redis 7.0 or REST gives no code of its own, the first words identify the error. */
const FORBIDDEN = /^(?:NOPERM|ERR The user executing the script can't run) /
const UNAUTHORIZED = /^(?:WRONGPASS|NOAUTH|(?:ERR )?(?:unauthorized|invalid token))\b/i
const CLUSTER = /^(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN) /
const REFUSED =
  /^(?:OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN|NOREPLICAS|DENIED|EXECABORT|ERR max) /

/** Whatever a client of the store `name` throws, as the one kind of error that a store throws. */
export function redisError(name: string, error: unknown, signal?: AbortSignal): StoreError {
  const said = redactedMessage(error)
  const [code, hint] = signal?.aborted ? (['timeout', ''] as const) : classify(error, said)
  return new StoreError(code, `${name}: ${said}${hint}`, { cause: new Error(said) })
}

function classify(error: unknown, said: string): readonly [StoreErrorCode, string] {
  if (error instanceof StoreError) return [error.code, '']
  const words = wordsIn(said)
  if (FORBIDDEN.test(words)) {
    return ['unauthorized', ' (a read-only token cannot count: give the one that may write)']
  }
  if (UNAUTHORIZED.test(words)) {
    return ['unauthorized', ' (the token is not one of this database)']
  }
  if (CLUSTER.test(words)) {
    return ['rejected', ' (a node of a Redis Cluster: give redis() the client of a cluster)']
  }
  return [CODE.test(words) ? 'rejected' : 'unreachable', '']
}

/** The script ran, or a server on the way is away: words of Redis 6 and 7, and of proxies. */
const NOT_OF_FORM =
  /running script|on @user_script|no count|not an integer|time(?:d )?out|connection|upstream|unavailable|internal|migrat|try again/i

/**
 * Whether a server replied that it does not take the script in this form. Servers word that as they
 * like, so it is any reply whose words do not say something else. A command refused for its form has
 * not run.
 */
export function rejectsForm(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StoreError) return false
  const words = wordsIn(redactedMessage(error))
  const others = [FORBIDDEN, UNAUTHORIZED, CLUSTER, REFUSED, NOT_OF_FORM]
  if (others.some((other) => other.test(words))) return false
  // Without a code it may be a proxy's, about a command that ran.
  return CODE.test(words) || error.name === 'ReplyError' || isOfScript(words)
}

/** Whether the words are about the text of a script: then no other server is meant. */
export const isOfScript = (words: string): boolean => /script|symbol|flag/i.test(words)

/** Whether a server replied that it has not seen the script of this hash, so that nothing ran. */
export function isUnknownHash(error: unknown): boolean {
  if (!rejectsForm(error)) return false
  const words = wordsIn(redactedMessage(error))
  return /^NOSCRIPT\b|\b(?:no|unknown|missing)\b.*\bscript|\bscript\b.*\b(?:not|unknown|missing)\b/i.test(
    words,
  )
}
