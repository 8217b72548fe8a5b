import { detectPlatform } from '../../environment.ts'
import { StoreError } from '../../errors.ts'
import type { TakeOptions } from '../store.ts'
import type { RedisCommands } from './redis-commands.ts'

/** Sends one command to a Redis and brings its answer, or throws what the server said. */
export type Send = (command: readonly string[], options?: TakeOptions) => Promise<unknown>

/** What a server says to one command. */
export type Answer = { readonly result: unknown } | { readonly error: string }

/** A POST to a path of the database's, whose answer, if it is one, `isAnswer` knows. */
type Post = <Body>(
  path: string,
  body: unknown,
  isAnswer: (value: unknown) => value is Body,
  signal?: AbortSignal,
) => Promise<Body>

/**
 * Upstash's REST protocol: one POST, one answer (https://upstash.com/docs/redis/features/restapi). No
 * retry, because a repeated take counts twice; no redirect, because a POST would arrive as a GET;
 * the caller's signal ends it.
 */
function poster(url: string, token: string, fetcher: typeof fetch): Post {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  // Next.js may cache a fetch; Workers have no such cache, and older ones reject the option.
  let cache: { readonly cache?: 'no-store' } | undefined
  return async (path, body, isAnswer, signal) => {
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
    const answer: unknown = await response.json().catch(unlessNoJson)
    // A gateway whose Redis is away says so by its status, whatever its words.
    if (isAnswer(answer) && !(status >= 502 && status <= 504)) return answer
    const code = status === 401 ? 'unauthorized' : 'unreachable'
    throw new StoreError(code, `HTTP ${status} instead of an answer in Upstash's REST protocol`)
  }
}

/** Treats a body that is not JSON as no answer. Throws every other error. */
function unlessNoJson(error: unknown): void {
  if (Object(error).name !== 'SyntaxError') throw error
}

/** Sends a command by itself. */
export function restSender(url: string, token: string, fetcher: typeof fetch): Send {
  const post = poster(url, token, fetcher)
  return async (command, options) => {
    const answer = await post('', command, isAnswer, options?.signal)
    return resultOf('error' in answer ? redacted(answer, token) : answer)
  }
}

/** Sends commands that belong to nobody together: each has an answer of its own. */
export type SendAll = (
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
) => Promise<readonly Answer[]>

/** Sends many commands in one request, each of which is counted and billed by itself. */
export function restPipeline(url: string, token: string, fetcher: typeof fetch): SendAll {
  const post = poster(url, token, fetcher)
  return async (commands, signal) => {
    const answers = await post('/pipeline', commands, isAnswers, signal)
    // One complaint about the whole is one about each: a wrong token, a quota used up.
    if (!isList(answers)) return commands.map(() => redacted(answers, token))
    return answers.map((answer) => redacted(answer, token))
  }
}

/** A server's complaint may quote the token. */
const redacted = (answer: Answer, token: string): Answer =>
  'error' in answer ? { error: answer.error.replaceAll(token, '…') } : answer

/**
 * Returns the result of an answer, or throws the server's error with the name that ioredis gives
 * it.
 */
export function resultOf(answer: Answer): unknown {
  if ('error' in answer) throw Object.assign(new Error(answer.error), { name: 'ReplyError' })
  return answer.result
}

/** The three commands that a store needs. */
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

const isAnswers = (value: unknown): value is readonly Answer[] | Answer =>
  Array.isArray(value) ? value.every(isAnswer) : isAnswer(value)

const isList = (answers: readonly Answer[] | Answer): answers is readonly Answer[] =>
  Array.isArray(answers)
