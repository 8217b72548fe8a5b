import { detectPlatform, processEnv, variableNames, variablesOf } from '../environment.ts'
import { memory } from './memory.ts'
import { resolveRest } from './named-store.ts'
import type { Store } from './store.ts'
import { describeUnused } from './unused-variables.ts'
import { upstash } from './upstash.ts'

/**
 * The store that the variables name: Upstash (`UPSTASH_REDIS_REST_URL` and `…_TOKEN`, or
 * `UPSTASH_REDIS_URL` and `…_TOKEN`), Vercel KV (`KV_REST_API_URL` and `…_TOKEN`, with any prefix),
 * else memory with one warning. The first pair that can work is taken. If no pair can work, throws a
 * `ConfigError` that names the variable that is missing or wrong. Never uses a read-only token.
 *
 * @param given the environment that the host hands over, a Worker's bindings for instance. If it
 * names no store, the process's variables are read: what Node, Bun and Deno hand over names none.
 */
export function storeFromEnv(given: object = {}): Store {
  const environments = [variablesOf(given), processEnv()]
  const rest = resolveRest(environments)
  if (rest !== undefined) {
    const store = upstash(rest.credentials())
    return { ...store, label: `${store.label}, from ${rest.urlName}` }
  }
  console.warn(
    'tidegate: the environment names no store, so each isolate counts in its own memory. ' +
      'Set UPSTASH_REDIS_REST_URL and _TOKEN, or KV_REST_API_URL and _TOKEN' +
      describeUnused(...environments) +
      adviceOnBindings(given),
  )
  return memory()
}

/** How to pass a Worker's bindings, which are not in the variables of the process. */
function adviceOnBindings(given: object): string {
  const isGiven = given !== processEnv() && variableNames(variablesOf(given))?.length !== 0
  return isGiven || detectPlatform() !== 'cloudflare'
    ? ''
    : '. On Cloudflare pass the bindings: check(request, { env })'
}
