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

/**
 * What a server says if it did not run a command, with the code of the error and a hint. Without a
 * specific code, as of Redis 7.0 and REST, the first words identify the error.
 */
const REFUSALS: readonly (readonly [RegExp, StoreErrorCode, hint?: string])[] = [
  [
    /^(?:NOPERM|ERR The user executing the script can't run) /,
    'unauthorized',
    ' (a read-only token cannot count: use the token with write access)',
  ],
  [
    /^(?:WRONGPASS|NOAUTH|(?:ERR )?(?:unauthorized|invalid token))\b/i,
    'unauthorized',
    ' (the database does not accept this token)',
  ],
  [
    /^(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN) /,
    'rejected',
    ' (a node of a Redis Cluster: pass redis() a cluster client)',
  ],
  [
    /^(?:OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN|NOREPLICAS|DENIED|EXECABORT|ERR max) /,
    'rejected',
  ],
]

const refusalIn = (words: string) => REFUSALS.find(([pattern]) => pattern.test(words))

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
  const message = redactedMessage(error)
  const words = wordsIn(message)
  const refusal = refusalIn(words)
  const isOfCall = OF_CALL.test(words)
  const isSent = !NOT_SENT.test(message)
  const [, refused = CODE.test(words) ? 'rejected' : 'unreachable', hint = ''] = refusal ?? []
  const own = error instanceof StoreError ? error.code : refused
  const code = signal?.aborted ? 'timeout' : own
  const said = redactedMessage(error, secrets)
  return new StoreError(code, `${name}: ${said}${code === refused ? hint : ''}`, {
    cause: new Error(said),
    scope: isOfCall ? 'key' : 'store',
    mayHaveCounted: code === 'timeout' || (isSent && !refusal && !isOfCall),
  })
}

/** Words of Redis 6 and 7, and of proxies: the script may have run, or no server was available. */
const NOT_OF_FORM =
  /running script|on @user_script|no count|not an integer|time(?:d )?out|connection|upstream|unavailable|internal|migrat|try again/i

/**
 * Returns the message of a server that rejected this form of the script without running it;
 * `undefined` for other errors. Servers word this differently, so any reply counts that is not
 * known as another error.
 */
export function rejectionOfForm(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof StoreError) return undefined
  const words = wordsIn(redactedMessage(error))
  if (refusalIn(words) || NOT_OF_FORM.test(words)) return undefined
  // A reply without a code may be that of a proxy, about a command that ran.
  return CODE.test(words) || error.name === 'ReplyError' || isOfScript(words) ? words : undefined
}

/** Whether the words are about the text of a script, and so come from the server that runs it. */
export const isOfScript = (words: string): boolean => /script|symbol|flag/i.test(words)

/** Whether these are words of a server that does not know the script of a hash. */
export const isOfUnknownHash = (words: string): boolean =>
  /^NOSCRIPT\b|\b(?:no|unknown|missing)\b.*\bscript|\bscript\b.*\b(?:not|unknown|missing)\b/i.test(
    words,
  )
