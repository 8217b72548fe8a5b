import { detectPlatform } from '../environment.ts'
import { StoreError } from '../errors.ts'
import type { ScriptClient } from './scripted.ts'

/** Sends one command to a Redis and brings its answer, or throws what the server said. */
export type Send = (command: readonly string[], signal?: AbortSignal) => Promise<unknown>

/**
 * Upstash's REST protocol: one POST, one answer (https://upstash.com/docs/redis/features/restapi). No
 * retry, because a repeated take counts twice; no redirect, because a POST would arrive as a GET;
 * the caller's signal ends it.
 */
export function restSender(url: string, token: string, fetcher: typeof fetch): Send {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return async (command, signal) => {
    const response = await fetcher(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(command),
      redirect: 'manual',
      signal: signal ?? null,
      // Next.js may cache a fetch; Workers have no such cache, and older ones reject the option.
      ...(detectPlatform() === 'cloudflare' ? {} : { cache: 'no-store' }),
    })
    const { status } = response
    const answer: unknown = await response.json().catch(() => undefined)
    // A gateway whose Redis is away says so by its status, whatever its words.
    if (!isAnswer(answer) || (status >= 502 && status <= 504)) {
      const code = status === 401 ? 'unauthorized' : 'unreachable'
      throw new StoreError(code, `HTTP ${status} without an answer of Upstash's REST protocol`)
    }
    if (answer.error === undefined) return answer.result
    throw new Error(answer.error.replaceAll(token, '…'))
  }
}

/** The two commands that a store needs. */
export function restClient(url: string, token: string, fetcher: typeof fetch): ScriptClient {
  const send = restSender(url, token, fetcher)
  return {
    evalsha: (sha, keys, args, signal) =>
      send(['EVALSHA', sha, `${keys.length}`, ...keys, ...args], signal),
    eval: (script, keys, args, signal) =>
      send(['EVAL', script, `${keys.length}`, ...keys, ...args], signal),
  }
}

function isAnswer(value: unknown): value is { result?: unknown; error?: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('result' in value || ('error' in value && typeof value.error === 'string'))
  )
}
