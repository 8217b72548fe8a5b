import { type Environment, namesOf, variable } from '../environment.ts'

/** Names that look as if a store was meant, in any spelling. Not a URL that stands for a name. */
const LIKE_A_STORE = /^(?=[\w.-]+$)(?:.*(?:redis|upstash|valkey|kv_(?:rest|url))|tidegate$)/i

/** A URL of Redis' own protocol, which takes sockets; Valkey's is the same by another name. */
export const isTcp = (url: unknown) => typeof url === 'string' && /^(?:redis|valkey)s?:/.test(url)

/** The binding of a Durable Object, by whatever name it is meant for Tidegate. */
const isOurObject = (name: string, value: unknown) =>
  /tidegate/i.test(name) && typeof value === 'object' && value !== null && 'idFromName' in value

/** Which entry point uses an address for TCP, as errors and warnings name it. */
export const TCP = 'TCP, which "tidegate/node" reads from REDIS_URL'

/**
 * Lists variables that look like a store, and how to use them, for environments without a store.
 * Shows names, never values.
 */
export function nearMisses(...environments: readonly Environment[]): string {
  const found = environments.flatMap(
    (env) =>
      namesOf(env)
        ?.filter((name) => LIKE_A_STORE.test(name) || isOurObject(name, variable(env, name)))
        .map((name) => name + useOf(name, variable(env, name))) ??
      'variables that Deno may not read (--allow-env)',
  )
  return found.length > 0 ? `. Not used: ${found.slice(0, 9).join(', ')}` : ''
}

function useOf(name: string, value: unknown): string {
  if (value === undefined) return ' (empty)'
  if (typeof value !== 'string') return ' (a binding: see "tidegate/durable-object")'
  if (isTcp(value)) {
    return ` (for ${TCP}${value.startsWith('valkey') ? ', as redis:// or rediss://' : ''})`
  }
  if (/^https?:/.test(value)) return ' (call it UPSTASH_REDIS_REST_URL)'
  return /token$/i.test(name) ? ' (call it UPSTASH_REDIS_REST_TOKEN)' : ''
}
