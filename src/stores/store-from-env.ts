import { detectPlatform, processEnv, variableNames, variablesOf } from '../environment.ts'
import { memory } from './memory.ts'
import { resolveRest } from './named-store.ts'
import type { Store } from './store.ts'
import { describeUnused } from './unused-variables.ts'
import { upstash } from './upstash.ts'

/**
 * Returns the store that the variables name: Upstash (`UPSTASH_REDIS_REST_URL` and `…_TOKEN`, or
 * `UPSTASH_REDIS_URL` and `…_TOKEN`), or Vercel KV (`KV_REST_API_URL` and `…_TOKEN`, with any
 * prefix). Uses the first pair that can work. Without these variables, returns `memory()` and logs
 * a warning.
 *
 * Throws a `ConfigError` that names the missing or wrong variable, if no pair can work. Never uses
 * a read-only token.
 *
 * @param given the environment that the host passes, such as a Worker's bindings. If it names no
 * store, the variables of the process are read.
 *
 * @example
 * const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })
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
