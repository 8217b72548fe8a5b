import { type Environment, namesOf, processEnv, variable, variablesOf } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { memory } from './memory.ts'
import { isTcp, nearMisses } from './near-miss.ts'
import type { Store } from './store.ts'
import { checkToken, checkUrl, upstash } from './upstash.ts'

/** What the names of a database's variables begin with, in the order in which they are tried. */
const STEMS = ['UPSTASH_REDIS_REST_', 'UPSTASH_REDIS_', 'KV_REST_API_']

/** And with any prefix, as the integrations of Vercel set them: `SHOP_KV_REST_API_…`. */
const PREFIXED = /^(\w+_KV_REST_API_)(?:URL|TOKEN|READ_ONLY_TOKEN)$/

/**
 * The store that the variables name: Upstash (`UPSTASH_REDIS_REST_URL` and `…_TOKEN`, or
 * `UPSTASH_REDIS_URL` and `…_TOKEN`), Vercel KV (`KV_REST_API_URL` and `…_TOKEN`, with any prefix),
 * else memory with one warning. Throws a `ConfigError` that names the variable if only one half of
 * a pair is set, or a value cannot be right. A read-only token is never taken.
 *
 * @param given the environment that the host hands over, a Worker's bindings for instance. If it
 * names no store, as what Node, Bun and Deno hand over never does, the process's variables may.
 */
export function storeFromEnv(given: object = {}): Store {
  const environments = [variablesOf(given), processEnv()]
  const env = environments.find(findStem) ?? {}
  const stem = findStem(env)
  if (stem === undefined) {
    console.warn(
      'tidegate: no store in the environment (UPSTASH_REDIS_REST_URL and _TOKEN, or KV_REST_API_URL ' +
        'and _TOKEN): counting in the memory of each isolate alone' +
        nearMisses(...environments),
    )
    return memory()
  }
  const url = checkUrl(`${stem}URL`, env[`${stem}URL`])
  const token = checkToken(`${stem}TOKEN`, env[`${stem}TOKEN`])
  if (token === variable(env, `${stem}READ_ONLY_TOKEN`)) {
    throw new ConfigError(`${stem}TOKEN`, 'the read-only token', 'the token that may write')
  }
  return upstash({ url, token })
}

/**
 * What the names of the store's variables begin with; nothing if no store is named. A pair that is
 * whole goes before one that is not, which is then named in the error.
 */
export function findStem(env: Environment): string | undefined {
  const prefixed = namesOf(env)?.flatMap((name) => PREFIXED.exec(name)?.[1] ?? []) ?? []
  const stems = [...STEMS, ...prefixed.sort((a, b) => a.length - b.length)]
  const has = (stem: string) => (name: string) => variable(env, stem + name) !== undefined
  const overHttp = stems.filter((stem) => !isTcp(variable(env, `${stem}URL`)))
  return (
    overHttp.find((stem) => ['URL', 'TOKEN'].every(has(stem))) ??
    stems.find((stem) => ['URL', 'TOKEN', 'READ_ONLY_TOKEN'].some(has(stem)))
  )
}

/** Whether a REST API is named, or half of one. A TCP address in its place is meant for others. */
export function namesRest(env: Environment): boolean {
  const stem = findStem(env)
  return stem !== undefined && !isTcp(variable(env, `${stem}URL`))
}
