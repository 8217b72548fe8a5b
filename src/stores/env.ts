import {
  detectPlatform,
  type Environment,
  namesOf,
  processEnv,
  readable,
  variable,
  variablesOf,
} from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { memory } from './memory.ts'
import { isTcp, nearMisses } from './near-miss.ts'
import type { Store } from './store.ts'
import { checkToken, checkUrl, type UpstashCredentials, upstash } from './upstash.ts'

/** What the names of a database's variables begin with, in the order in which they are tried. */
const STEMS = ['UPSTASH_REDIS_REST_', 'UPSTASH_REDIS_', 'KV_REST_API_']

/** The same with any prefix, as the integrations of Vercel set them: `SHOP_KV_REST_API_…`. */
const PREFIXED = /^(\w+_KV_REST_API_)(?:URL|TOKEN|READ_ONLY_TOKEN)$/

/**
 * The store that the variables name: Upstash (`UPSTASH_REDIS_REST_URL` and `…_TOKEN`, or
 * `UPSTASH_REDIS_URL` and `…_TOKEN`), Vercel KV (`KV_REST_API_URL` and `…_TOKEN`, with any prefix),
 * else memory with one warning. The first pair that can work
 * is taken. If none can, throws a `ConfigError` that names the variable that is missing or wrong. A read-only token is never taken.
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
        nearMisses(...environments) +
        adviceOnBindings(given),
    )
    return memory()
  }
  return upstash(credentialsIn(env, stem))
}

/** How to hand over what a Worker has and the process has not. */
function adviceOnBindings(given: object): string {
  const isGiven = given !== processEnv() && namesOf(variablesOf(given))?.length !== 0
  return isGiven || detectPlatform() !== 'cloudflare'
    ? ''
    : '. On Cloudflare hand the bindings over: check(request, { env })'
}

/** What a pair holds. Throws a `ConfigError` that names the variable that is missing or wrong. */
function credentialsIn(env: Environment, stem: string): UpstashCredentials {
  const url = checkUrl(`${stem}URL`, readable(env, `${stem}URL`))
  const token = checkToken(`${stem}TOKEN`, readable(env, `${stem}TOKEN`))
  if (token === variable(env, `${stem}READ_ONLY_TOKEN`)) {
    throw new ConfigError(`${stem}TOKEN`, 'the read-only token', 'the token that may write')
  }
  return { url, token }
}

function canWork(env: Environment, stem: string): boolean {
  try {
    return credentialsIn(env, stem) !== undefined
  } catch {
    return false
  }
}

/**
 * What the names of the store's variables begin with; nothing if no store is named. A pair that can
 * work goes before one that cannot, which is then named in the error. An address for TCP and a
 * read-only token are often meant for others, so they come last.
 */
export function findStem(env: Environment): string | undefined {
  const prefixed = namesOf(env)?.flatMap((name) => PREFIXED.exec(name)?.[1] ?? []) ?? []
  const stems = [...STEMS, ...prefixed.sort((a, b) => a.length - b.length)]
  const has = (stem: string) => (name: string) => variable(env, stem + name) !== undefined
  return (
    stems.find((stem) => canWork(env, stem)) ??
    stems.find((stem) => ['URL', 'TOKEN'].some(has(stem)) && !isTcp(readable(env, `${stem}URL`))) ??
    stems.find((stem) => ['URL', 'READ_ONLY_TOKEN'].some(has(stem)))
  )
}

/**
 * Whether a REST API is named, or half of one. A TCP address in its place is meant for others; a
 * read-only token or a text of blanks is what somebody left over.
 */
export function namesRest(env: Environment): boolean {
  const stem = findStem(env)
  if (stem === undefined) return false
  const [url, token] = ['URL', 'TOKEN'].map((name) => readable(env, stem + name))
  return !isTcp(url) && /\S/.test(`${url ?? ''}${token ?? ''}`)
}
