import { detectPlatform } from '../../environment.ts'
import { StoreError } from '../../errors.ts'
import type { TakeOptions } from '../store.ts'
import type { RedisCommands } from './redis-commands.ts'

/** Sends one command to a Redis and resolves to its result, or throws the server's error. */
export type Send = (command: readonly string[], options?: TakeOptions) => Promise<unknown>

/** A server's answer to one command. */
export type Answer = { readonly result: unknown } | { readonly error: string }

/** Sends a POST to a path of the database. Returns the answers of the server, at least one. */
type Post = (
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
) => Promise<readonly Answer[]>

/**
 * Returns a client of Upstash's REST protocol (https://upstash.com/docs/redis/features/restapi). It
 * does not retry, because a repeated take counts twice, and does not follow redirects, which would
 * turn a POST into a GET. The caller's signal ends the request.
 */
function poster(url: string, token: string, fetcher: typeof fetch): Post {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  // Next.js may cache a fetch; Workers have no such cache, and older ones reject the option.
  let cache: { readonly cache?: 'no-store' } | undefined
  return async (path, body, signal) => {
    cache ??= detectPlatform() === 'cloudflare' ? {} : { cache: 'no-store' }
    const response = await fetcher(url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: signal ?? null,
      ...cache,
    })
    const { status } = response
    const answers: unknown[] = [await response.json().catch(unlessNoJson)].flat()
    // A gateway without its Redis answers 503, and its body may look like an answer.
    const isAway = status >= 502 && status <= 504
    if (answers.length > 0 && answers.every(isAnswer) && !isAway) {
      // An error of the server may quote the token.
      return answers.map((answer) =>
        'error' in answer ? { error: answer.error.replaceAll(token, '…') } : answer,
      )
    }
    const code = status === 401 ? 'unauthorized' : 'unreachable'
    throw new StoreError(code, `HTTP ${status} instead of an answer in Upstash's REST protocol`)
  }
}

/** Treats a body that is not JSON as no answer. Throws every other error. */
function unlessNoJson(error: unknown): void {
  if (Object(error).name !== 'SyntaxError') throw error
}

/** Sends each command in a request of its own. */
export function restSender(url: string, token: string, fetcher: typeof fetch): Send {
  const post = poster(url, token, fetcher)
  return async (command, options) => {
    const [answer] = await post('', command, options?.signal)
    return answer && resultOf(answer)
  }
}

/** Sends independent commands together, and resolves to the answer of each. */
export type SendAll = (
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
) => Promise<readonly Answer[]>

/** Sends many commands in one request. The server counts and bills each command. */
export function restPipeline(url: string, token: string, fetcher: typeof fetch): SendAll {
  const post = poster(url, token, fetcher)
  return async (commands, signal) => {
    const answers = await post('/pipeline', commands, signal)
    const [only] = answers
    // A single error applies to each command: a wrong token, a quota used up.
    const isOfAll = answers.length === 1 && only && 'error' in only
    return isOfAll ? commands.map(() => only) : answers
  }
}

/**
 * Returns the result of an answer, or throws the server's error with the name that ioredis gives
 * it.
 */
export function resultOf(answer: Answer): unknown {
  if ('error' in answer) throw Object.assign(new Error(answer.error), { name: 'ReplyError' })
  return answer.result
}

/** Returns the three commands that a store needs. */
export const restClient = (send: Send): RedisCommands => ({
  evalsha: (sha, keys, args, options) =>
    send(['EVALSHA', sha, `${keys.length}`, ...keys, ...args], options),
  eval: (script, keys, args, options) =>
    send(['EVAL', script, `${keys.length}`, ...keys, ...args], options),
  incrby: (key, units, options) => send(['INCRBY', key, `${units}`], options),
})

function isAnswer(value: unknown): value is Answer {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('result' in value || ('error' in value && typeof value.error === 'string'))
  )
}
