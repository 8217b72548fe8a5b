import type { Client } from '../client/client.ts'
import { ip } from '../client/ip.ts'
import { ConfigError, checkKeys, show } from '../errors.ts'
import { type Duration, isCount, MAX_INTEGER, parseDuration } from './duration.ts'
import { type Path, pathMatcher } from './path.ts'

/** A rule: how many units each client gets in each window, on which requests. */
export interface PolicyOptions {
  /**
   * Names the policy in headers, problem bodies and keys: letters, digits, `.`, `_`, `-`. Needed
   * as soon as a second policy counts in the same store.
   * @default none: the one unnamed policy, `default` in headers
   */
  readonly name?: string | undefined
  /** Units per window, 1 to 999,999,999,999,999. A request costs one. */
  readonly limit: number
  /** How long a window lasts from its first unit. */
  readonly window: Duration
  /**
   * Who is counted.
   * @default ip()
   */
  readonly client?: Client | undefined
  /**
   * Which requests count, by path (`'/api/*'`) or by a function of the request.
   * @default every path
   */
  readonly match?: string | readonly string[] | ((request: Request) => boolean) | undefined
  /**
   * Which methods count. GET stands for HEAD too, since whatever answers one answers both.
   * @default every method
   */
  readonly methods?: readonly string[] | undefined
  /**
   * What happens to a request whose client is unknown: all of them share one count (`'share'`),
   * they are refused with 403 (`'refuse'`), or this policy does not count them (`'pass'`).
   * @default 'share'
   */
  readonly unknown?: UnknownClient | undefined
}

export type UnknownClient = 'share' | 'refuse' | 'pass'

/** A rule with its options checked and compiled. */
export interface Policy {
  /** '' for the one unnamed policy. */
  readonly name: string
  readonly limit: number
  /** In ms. */
  readonly window: number
  readonly client: Client
  readonly unknown: UnknownClient
  readonly methods: ReadonlySet<string> | undefined
  readonly paths: readonly ((path: Path) => boolean)[] | undefined
  readonly test: ((request: Request) => boolean) | undefined
}

/** One function for all policies that name none, so that a check asks it once. */
const byAddress: Client = /* @__PURE__ */ ip()

/** The options of one policy. */
export const POLICY_KEYS = [
  'name',
  'limit',
  'window',
  'client',
  'match',
  'methods',
  'unknown',
] as const

/** Whether a policy counts a request, whose path the caller has cut if any policy has `paths`. */
export function applies(policy: Policy, request: Request, path: Path): boolean {
  const { methods, paths, test } = policy
  if (methods && !methods.has(request.method)) return false
  if (paths && !paths.some((matches) => matches(path))) return false
  return test === undefined || test(request)
}

/** Checks a list of policies, of which `option` is the name. Throws a `ConfigError`. */
export function compilePolicies(option: string, list: unknown): readonly Policy[] {
  if (!Array.isArray(list) || list.length === 0) {
    throw new ConfigError(option, show(list), 'a list of at least one policy')
  }
  const policies = list.map((entry, index) => {
    const at = `${option}[${index}]`
    checkKeys(at, entry, POLICY_KEYS)
    return compilePolicy(`${at}.`, entry as PolicyOptions)
  })
  for (const [index, { name }] of policies.entries()) {
    const at = `${option}[${index}].name`
    if (name === '' && policies.length > 1) {
      throw new ConfigError(at, 'nothing', 'a name, since there are several policies')
    }
    if (policies.findIndex((other) => other.name === name) < index) {
      throw new ConfigError(at, show(name), 'a name that no other policy has')
    }
  }
  return policies
}

/** Checks one policy, whose options are named with `prefix` in errors. Throws a `ConfigError`. */
export function compilePolicy(prefix: string, options: PolicyOptions): Policy {
  const {
    name = '',
    limit,
    window,
    client = byAddress,
    match,
    methods,
    unknown = 'share',
  } = options
  if (options.name !== undefined && !(typeof name === 'string' && /^[\w.-]{1,64}$/.test(name))) {
    throw new ConfigError(`${prefix}name`, show(name), '1 to 64 letters, digits, ".", "_" or "-"')
  }
  if (!isCount(limit)) {
    throw new ConfigError(
      `${prefix}limit`,
      show(limit),
      `a whole number of units from 1 to ${MAX_INTEGER}`,
    )
  }
  if (typeof client !== 'function') {
    throw new ConfigError(
      `${prefix}client`,
      show(client),
      'ip(), header(name) or a function of the request',
    )
  }
  if (unknown !== 'share' && unknown !== 'refuse' && unknown !== 'pass') {
    throw new ConfigError(`${prefix}unknown`, show(unknown), '"share", "refuse" or "pass"')
  }
  return {
    name,
    limit,
    window: parseDuration(`${prefix}window`, window),
    client,
    unknown,
    methods: methods === undefined ? undefined : compileMethods(`${prefix}methods`, methods),
    paths: match === undefined || typeof match === 'function' ? undefined : compilePaths(match),
    test: typeof match === 'function' ? match : undefined,
  }

  function compilePaths(patterns: string | readonly string[]) {
    if (!Array.isArray(patterns)) return [pathMatcher(`${prefix}match`, patterns)]
    if (patterns.length === 0) {
      throw new ConfigError(`${prefix}match`, 'an empty list', 'at least one path')
    }
    return patterns.map((pattern, index) => pathMatcher(`${prefix}match[${index}]`, pattern))
  }
}

function compileMethods(option: string, methods: readonly string[]): ReadonlySet<string> {
  const want = 'a list of methods in capitals, such as ["GET", "POST"]'
  if (!Array.isArray(methods) || methods.length === 0) {
    throw new ConfigError(option, Array.isArray(methods) ? 'an empty list' : show(methods), want)
  }
  for (const [index, method] of methods.entries()) {
    // Methods are case-sensitive (RFC 9110 §9.1): 'post' would match no request that is sent.
    if (typeof method !== 'string' || !/^[A-Z]+(?:-[A-Z]+)*$/.test(method)) {
      throw new ConfigError(`${option}[${index}]`, show(method), 'a method in capitals')
    }
  }
  return new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)
}
