import { type Environment, variable, variableNames } from '../environment.ts'
import { isObjectNamespace } from './durable-object.ts'
import { isRedisUrl, TCP_URL } from './rest-credentials.ts'

/** Matches variable names that look like a store. Not a URL that was set as a name by mistake. */
const LIKE_A_STORE = /^(?=[\w.-]+$)(?:.*(?:redis|upstash|valkey|kv_(?:rest|url))|tidegate$)/i

/**
 * Lists variables that look like a store, and how to use them, for environments without a store.
 * Shows names, never values.
 */
export function describeUnused(...environments: readonly Environment[]): string {
  const unused = environments.flatMap(
    (env) =>
      variableNames(env)
        ?.filter((name) => isLikeAStore(name, variable(env, name)))
        .map((name) => name + adviceOn(name, variable(env, name))) ??
      'variables that Deno may not read (--allow-env)',
  )
  return unused.length > 0 ? `. Not used: ${unused.slice(0, 9).join(', ')}` : ''
}

/** Other names with "tidegate" in them are probably variables of the application. */
const isLikeAStore = (name: string, value: unknown) =>
  LIKE_A_STORE.test(name) || (/tidegate/i.test(name) && isObjectNamespace(value))

function adviceOn(name: string, value: unknown): string {
  if (value === undefined) return ' (empty)'
  if (typeof value !== 'string') return ' (a binding: see "tidegate/durable-object")'
  if (isRedisUrl(value)) {
    return ` (${TCP_URL}${value.startsWith('valkey') ? ', as redis:// or rediss://' : ''})`
  }
  if (/^https?:/.test(value)) return ' (rename it to UPSTASH_REDIS_REST_URL)'
  return /token$/i.test(name) ? ' (rename it to UPSTASH_REDIS_REST_TOKEN)' : ''
}
