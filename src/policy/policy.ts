import {
  assertChoice,
  assertCount,
  assertFunction,
  assertKeys,
  assertOption,
  compileList,
  MAX_INTEGER,
} from '../checks.ts'
import type { Client, RequestContext } from '../client/client.ts'
import { networkClient } from '../client/network-client.ts'
import type { Fallback } from '../stores/guard-options.ts'
import { parseWindow } from './duration.ts'
import { assertFallback } from './fallback-option.ts'
import { FOREIGN_NAMES } from './foreign-names.ts'
import { compileLease } from './lease-option.ts'
import { hasMethod } from './method.ts'
import { compilePath, type PathReadings } from './path.ts'
import { assertPolicyName } from './policy-name.ts'
import type {
  CostFunction,
  MatchFunction,
  PolicyOptions,
  SettleFunction,
  UnknownClient,
} from './policy-options.ts'
import { isPreflight } from './preflight.ts'
import type { QuotaChoice } from './quota.ts'
import { compilePlans } from './quota-option.ts'

/** The options of a policy, checked and compiled. */
export interface Policy<Incoming extends Request = Request, Host extends object = object>
  extends QuotaChoice<Incoming, Host> {
  readonly client: Client<Incoming, Host>
  readonly cost: number | CostFunction<Incoming, Host>
  readonly unknown: UnknownClient
  /** In ms: how long units that are taken ahead should last. `undefined` without leases. */
  readonly ahead: number | undefined
  readonly fallback: Fallback
  readonly settle: true | SettleFunction<Incoming, Host> | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly paths: readonly RegExp[] | undefined
  readonly test: MatchFunction<Incoming, Host> | undefined
}

/** One function for all policies without a `client`, so that a check calls it once. */
const defaultClient: Client = /* @__PURE__ */ networkClient()

/** The options of one policy. */
export const POLICY_KEYS = [
  'name',
  'limit',
  'window',
  'plans',
  'plan',
  'client',
  'cost',
  'match',
  'methods',
  'unknown',
  'lease',
  'settle',
  'fallback',
] as const

/** Whether a policy counts a request. `path` is not used if the policy has no `paths`. */
export function isApplicable<Incoming extends Request, Host extends object>(
  policy: Policy<Incoming, Host>,
  request: Incoming,
  path: PathReadings,
  context: RequestContext & Host,
): boolean | Promise<boolean> {
  const { methods, paths, test } = policy
  if (paths && !path.some((reading) => paths.some((one) => one.test(reading)))) return false
  if (
    methods ? !hasMethod(request, methods) : request.method === 'OPTIONS' && isPreflight(request)
  ) {
    return false
  }
  return test === undefined || test(request, context)
}

/** Compiles a list of policies, which errors call `option`. Throws a `ConfigError`. */
export function compilePolicies<Incoming extends Request = Request, Host extends object = object>(
  option: string,
  list: unknown,
): readonly Policy<Incoming, Host>[] {
  const isOne = Array.isArray(list) && list.length === 1
  const names = new Set<string | undefined>([undefined])
  return compileList(option, list, 'policy', (at, entry) => {
    assertKeys(at, entry, POLICY_KEYS, FOREIGN_NAMES)
    const options = entry as PolicyOptions<Incoming, Host>
    const policy = compilePolicy(`${at}.`, options)
    const { name } = options
    assertOption(isOne || !names.has(name), `${at}.name`, name, 'a name that no other policy has')
    names.add(name)
    return policy
  })
}

/** Compiles a policy. Errors name its options after `prefix`. Throws a `ConfigError`. */
export function compilePolicy<Incoming extends Request, Host extends object>(
  prefix: string,
  options: PolicyOptions<Incoming, Host>,
): Policy<Incoming, Host> {
  const {
    name,
    limit,
    window,
    plans,
    plan,
    client = defaultClient,
    cost = 1,
    match,
    methods,
    unknown = 'share',
    lease,
    settle,
    fallback = 'local',
  } = options
  if (name !== undefined) assertPolicyName(`${prefix}name`, name)
  const compiled =
    plans === undefined && plan === undefined
      ? undefined
      : compilePlans(prefix, name ?? '', window, plans)
  const isComputed = typeof limit === 'function'
  if (compiled) {
    assertFunction(`${prefix}plan`, plan)
    assertOption(limit === undefined, `${prefix}limit`, limit, 'no limit beside `plans`')
  } else if (!isComputed) assertCount(`${prefix}limit`, limit)
  const most = typeof limit === 'number' ? limit : MAX_INTEGER
  assertFunction(`${prefix}client`, client, 'ip(), header(name) or a function')
  if (typeof cost !== 'function') assertCount(`${prefix}cost`, cost, 0, most)
  assertChoice(`${prefix}unknown`, unknown, ['share', 'refuse', 'pass'])
  assertFallback(`${prefix}fallback`, fallback)
  if (settle !== undefined && settle !== true) {
    assertFunction(`${prefix}settle`, settle, 'true or a function that returns units')
  }
  // Units of a lease are no longer in the window that the request was counted in.
  assertOption(!settle || !lease, `${prefix}lease`, lease, 'no lease in a policy with `settle`')
  const isFunction = typeof match === 'function'
  return {
    name: name ?? '',
    limit: most,
    window: compiled ? 0 : parseWindow(`${prefix}window`, window),
    choose: isComputed ? limit : plan,
    plans: compiled,
    client,
    cost,
    unknown,
    ahead: compileLease(`${prefix}lease`, lease),
    settle,
    fallback,
    methods: methods === undefined ? undefined : compileMethods(`${prefix}methods`, methods),
    paths: match === undefined || isFunction ? undefined : compilePaths(`${prefix}match`, match),
    test: isFunction ? match : undefined,
  }
}

const compilePaths = (option: string, match: unknown): readonly RegExp[] =>
  Array.isArray(match)
    ? compileList(option, match, 'path', compilePath)
    : [compilePath(option, match)]

function compileMethods(option: string, list: unknown): ReadonlySet<string> {
  const methods = compileList(option, list, 'method', (at, method) => {
    // Methods are case-sensitive (RFC 9110 §9.1): 'post' would match no request.
    const isMethod = typeof method === 'string' && /^[A-Z]+(?:-[A-Z]+)*$/.test(method)
    assertOption(isMethod, at, method, 'a method in capitals, such as "POST"')
    return method
  })
  return new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)
}
