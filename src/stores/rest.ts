import { detectPlatform } from '../environment.ts'
import { StoreError } from '../errors.ts'
import type { ScriptClient } from './scripted.ts'

/**
 * The two commands that a store needs, over Upstash's REST protocol: one POST, one answer
 * (https://upstash.com/docs/redis/features/restapi). No retry, because a repeated take counts
 * twice; no redirect, because a POST would arrive as a GET; the caller's signal ends it.
 */
export function restClient(url: string, token: string, fetcher: typeof fetch): ScriptClient {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

  async function send(command: readonly string[], signal: AbortSignal | undefined) {
    const response = await fetcher(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(command),
      redirect: 'manual',
      signal: signal ?? null,
      // Next.js may cache a fetch; Workers have no such cache, and older ones reject the option.
      ...(detectPlatform() === 'cloudflare' ? {} : { cache: 'no-store' }),
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (isAnswer(answer)) {
      if (answer.error === undefined) return answer.result
      throw new Error(answer.error)
    }
    throw new StoreError(
      response.status === 401 ? 'unauthorized' : 'unreachable',
      `HTTP ${response.status} without the JSON of Upstash's REST protocol`,
    )
  }

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
