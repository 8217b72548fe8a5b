import { type Environment, rawVariable, variable, variableNames } from '../environment.ts'
import { isObjectNamespace, type ObjectNamespace } from './durable-object.ts'
import { isRedisUrl, readCredentials, type UpstashCredentials } from './rest-credentials.ts'

/** A REST API that an environment names: Upstash, Vercel KV, or another server of that protocol. */
export interface NamedRest {
  readonly kind: 'rest'
  readonly urlName: string
  /** Throws a `ConfigError` that names the variable that is missing or wrong. */
  readonly credentials: () => UpstashCredentials
}

/** The store that an environment names. */
export type NamedStore =
  | NamedRest
  /** A Redis over TCP. Nothing has checked the URL yet. */
  | { readonly kind: 'redis'; readonly urlName: string; readonly url: unknown }
  | { readonly kind: 'durable-object'; readonly namespace: ObjectNamespace }

/** The prefixes of a database's variables, in the order in which they are tried. */
const PREFIXES = ['UPSTASH_REDIS_REST_', 'UPSTASH_REDIS_', 'KV_REST_API_']

/** Vercel's integrations add a prefix of the user's: `SHOP_KV_REST_API_…`. */
const CUSTOM_PREFIX = /^(\w+_KV_REST_API_)(?:URL|TOKEN|READ_ONLY_TOKEN)$/

/**
 * Returns the store that the environments name, or `undefined` if they name no store. A REST API
 * comes first, then `other`. What is left may be meant for other programs, and comes last:
 * variables of a REST API that have only a TCP address or a read-only token.
 *
 * @param other the variable for another kind of store that the caller can use: REDIS_URL where
 * there are sockets, or TIDEGATE, the Durable Object of the Worker
 */
export function resolveStore(
  environments: readonly Environment[],
  other: 'REDIS_URL' | 'TIDEGATE',
): NamedStore | undefined {
  const values = environments.map((env) => variable(env, other))
  const value = values.find((value) => value !== undefined)
  if (value === undefined || environments.some(namesRest)) return resolveRest(environments)
  if (other === 'REDIS_URL') return { kind: 'redis', urlName: other, url: value }
  if (isObjectNamespace(value)) return { kind: 'durable-object', namespace: value }
  return resolveRest(environments)
}

/** Like `resolveStore`, for REST only. The first environment that names a REST API decides. */
export function resolveRest(environments: readonly Environment[]): NamedRest | undefined {
  for (const env of environments) {
    const prefix = findEnvPrefix(env)
    if (prefix !== undefined) {
      const credentials = () => readCredentials(env, prefix)
      return { kind: 'rest', urlName: `${prefix}URL`, credentials }
    }
  }
  return undefined
}

/**
 * Returns the prefix of the variables that name a REST API, or `undefined`. Prefers a pair that can
 * work, then a broken pair (which the error then names), then a pair with a TCP address or a
 * read-only token.
 */
function findEnvPrefix(env: Environment): string | undefined {
  const custom = variableNames(env)?.flatMap((name) => CUSTOM_PREFIX.exec(name)?.[1] ?? []) ?? []
  const prefixes = [...PREFIXES, ...custom.sort((a, b) => a.length - b.length)]
  const has = (prefix: string) => (name: string) => variable(env, prefix + name) !== undefined
  return (
    prefixes.find((prefix) => canWork(env, prefix)) ??
    prefixes.find(
      (prefix) =>
        ['URL', 'TOKEN'].some(has(prefix)) && !isRedisUrl(rawVariable(env, `${prefix}URL`)),
    ) ??
    prefixes.find((prefix) => ['URL', 'READ_ONLY_TOKEN'].some(has(prefix)))
  )
}

function canWork(env: Environment, prefix: string): boolean {
  try {
    return readCredentials(env, prefix) !== undefined
  } catch {
    return false
  }
}

/**
 * Whether the variables name a REST API, or half of it. A TCP address, a read-only token and blanks
 * do not count.
 */
function namesRest(env: Environment): boolean {
  const prefix = findEnvPrefix(env)
  if (prefix === undefined) return false
  const [url, token] = ['URL', 'TOKEN'].map((name) => rawVariable(env, prefix + name))
  return !isRedisUrl(url) && /\S/.test(`${url ?? ''}${token ?? ''}`)
}
