import { StoreError, type StoreErrorCode } from '../errors.ts'

/**
 * What a client's error says, fit to be shown. Clients quote the command they sent, with its keys,
 * and a URL may hold a token: neither goes on. Node hides the reason of a failed fetch in `cause`.
 */
export function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const reason = cause && 'code' in cause ? ` (${cause.code})` : ''
  return (text + reason)
    .replace(/,? ?(?:command was:|with args beginning with:)[\s\S]*/i, '')
    .replace(/\/\/[^/\s]*@/g, '//')
    .replace(/_token=[^\s&]*/g, '_token=…')
    .slice(0, 200)
}

/**
 * Redis 7: "Unexpected flag in script shebang"; before 7, to which the line is Lua: "Error compiling
 * script". Both say so before anything ran, so the plain script may follow at once.
 */
export const rejectsHeader = (error: unknown) => /shebang|compiling script/i.test(saidBy(error))

/** Whatever a client of the store `name` throws, as the one kind of error that a store throws. */
export function redisError(name: string, error: unknown, signal?: AbortSignal): StoreError {
  const said = saidBy(error)
  const [code, hint] = signal?.aborted ? (['timeout', ''] as const) : classify(error, said)
  return new StoreError(code, `${name}: ${said}${hint}`, { cause: new Error(said) })
}

function classify(error: unknown, said: string): readonly [StoreErrorCode, string] {
  if (/\bNOPERM\b|can't run this command/.test(said)) {
    return ['unauthorized', ' (a read-only token cannot count: give the one that may write)']
  }
  if (/\b(WRONGPASS|NOAUTH|unauthorized|invalid token)\b/i.test(said)) {
    return ['unauthorized', ' (the token is not one of this database)']
  }
  if (/\b(MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN)\b/.test(said)) {
    return ['rejected', ' (a node of a Redis Cluster: give redis() the client of a cluster)']
  }
  if (/\b(ERR|OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN)\b/.test(said)) {
    return ['rejected', '']
  }
  return [error instanceof StoreError ? error.code : 'unreachable', '']
}
