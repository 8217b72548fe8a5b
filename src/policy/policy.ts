import {
  assertChoice,
  assertCount,
  assertFunction,
  assertKeys,
  assertOption,
  compileList,
  isCount,
  MAX_INTEGER,
} from '../checks.ts'
import type { Client, RequestContext } from '../client/client.ts'
import { networkClient } from '../client/network-client.ts'
import type { Fallback } from '../stores/store.ts'
import { type Duration, parseWindow } from './duration.ts'
import { assertFallback } from './fallback-option.ts'
import { FOREIGN_NAMES } from './foreign-names.ts'
import { compileLease, type LeaseOptions } from './lease-option.ts'
import { hasMethod } from './method.ts'
import { compilePath, type PathReadings } from './path.ts'
import { assertPolicyName } from './policy-name.ts'
import { isPreflight } from './preflight.ts'
import type { LimitFunction, PlanFunction, QuotaChoice } from './quota.ts'
import { compilePlans, type PlanOptions } from './quota-option.ts'

export type { LeaseOptions } from './lease-option.ts'
export type { LimitFunction, PlanFunction } from './quota.ts'
export type { PlanOptions } from './quota-option.ts'

/** How many units each client gets in each window, and which requests count. */
export interface PolicyOptions<Incoming extends Request = Request, Host extends object = object> {
  /**
   * The name of the policy in header fields, problem bodies and keys: letters, digits, `.`, `_`,
   * `-`. Required if a second policy counts in the same store.
   * @default no name, which is `default` in header fields
   */
  readonly name?: string | undefined
  /**
   * Units per window, 1 to 999,999,999,999,999, or a function that returns them, or a promise of
   * them. A request costs one. `check` throws what the function throws, and a `ConfigError` if it
   * returns anything else. A client whose limit changes keeps its count.
   * @default required, without `plans`
   */
  readonly limit?: number | LimitFunction<Incoming, Host> | undefined
  /**
   * How long a window lasts from its first unit: a text with a unit (`'1m'`), or a number of
   * milliseconds. A bare number below 1,000 logs one warning, since it may be meant as seconds;
   * `'60ms'` logs none.
   * @default required, unless every plan has its own
   */
  readonly window?: Duration | undefined
  /**
   * Limits by the name of a plan, in place of `limit`. Plans with the same window share one count,
   * so a client that changes its plan keeps it. If windows differ, each plan counts by itself.
   * @default one limit for all clients
   */
  readonly plans?: Readonly<Record<string, PlanOptions>> | undefined
  /**
   * Returns the name of the client's plan, or a promise of it. Required with `plans`. `check`
   * throws what the function throws, and a `ConfigError` for a name that is not in `plans`.
   * @default no plans
   */
  readonly plan?: PlanFunction<Incoming, Host> | undefined
  /**
   * Who is counted.
   * @default ip()
   */
  readonly client?: Client<Incoming, Host> | undefined
  /**
   * How many units a request takes: a whole number from 0, or a function that returns it, or a
   * promise of it. `check` throws what the function throws, and a `ConfigError` if it returns
   * anything else. A request that costs more than `limit` is refused without a charge: `retryIn` is
   * 0, since waiting does not help.
   *
   * The function is called once for each policy that counts the request, even if policies share it.
   * It gets the request that your handler gets, so read the body of a clone: a body can be read once.
   * @default 1
   * @example
   * cost: async (request) => (await request.clone().json()).recipients.length
   */
  readonly cost?: number | CostFunction<Incoming, Host> | undefined
  /**
   * Which requests count, by path (`'/api/*'`) or by a function of the request and its context,
   * which may be async. `check` throws what the function throws.
   *
   * A pattern is compared with the path that the client sent, and with the path that the
   * application sees, if the adapter knows it: in Next.js without `basePath`, locale and
   * `/_next/data/<build>`, in Hono without the base of the app that uses the limiter. The limiter
   * does not see later rewrites (Vercel's, next.config's, the origin's): match the path that the
   * client sends.
   * @default every path
   */
  readonly match?: string | readonly string[] | MatchFunction<Incoming, Host> | undefined
  /**
   * Which methods count. GET includes HEAD, since the same handler answers both. A request also
   * counts if it claims such a method in `X-HTTP-Method-Override`, `X-HTTP-Method`,
   * `X-Method-Override` or the query's `_method`, since many frameworks obey that. A `_method` in
   * the body cannot be seen: where the application reads it, list `'POST'` too.
   * @default every method; a preflight of CORS, as browsers send it, counts only where `methods`
   * names OPTIONS
   */
  readonly methods?: readonly string[] | undefined
  /**
   * What happens to requests whose client is unknown: they share one count (`'share'`), are refused
   * with 403 (`'refuse'`), or are not counted by this policy (`'pass'`).
   * @default 'share'
   */
  readonly unknown?: UnknownClient | undefined
  /**
   * Lets an isolate take units ahead for clients with many requests in it, and spend them without
   * a trip to the store. All isolates together never exceed the limit. Units that are not spent are
   * lost when their window ends. For limits of hundreds of units and more.
   * @default false: each request asks the store
   */
  readonly lease?: boolean | LeaseOptions | undefined
  /**
   * Corrects the count to what a request really used: `cost` is reserved before the request, and
   * once the response is ready, this function returns the units used, or a promise of them (the
   * tokens of a stream, say). 0 gives all units back: a login that returns 0 for success counts
   * failures only. More than was reserved counts too, also beyond the limit. `true`: only
   * `limiter.settle` corrects counts.
   *
   * Middleware of Next.js and Vercel does not see the response of the page: there only `true`
   * works. An error of the function is logged, and the reserved units stay counted. Read a
   * `response.clone()`, which has to be made before the function first awaits anything.
   * @default counts stay as they are
   */
  readonly settle?: true | SettleFunction<Incoming, Host> | undefined
  /**
   * What happens while the store is away: this isolate counts, from where the count was last seen,
   * up to the limit (`'local'`), or up to a share of the units that it has not seen used, but at
   * least one (`{ local: 0.25 }`); requests pass uncounted (`'open'`); or they get 503
   * (`'closed'`).
   * @default 'local'
   */
  readonly fallback?: Fallback | undefined
}

type MatchFunction<Incoming extends Request, Host extends object> = (
  request: Incoming,
  context: RequestContext & Host,
) => boolean | Promise<boolean>

export type CostFunction<Incoming extends Request = Request, Host extends object = object> = (
  request: Incoming,
  context: RequestContext & Host,
) => number | Promise<number>

export type SettleFunction<Incoming extends Request = Request, Host extends object = object> = (
  response: Response,
  request: Incoming,
  context: RequestContext & Host,
) => number | Promise<number>

export type UnknownClient = 'share' | 'refuse' | 'pass'

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

/** Throws a `ConfigError` unless units are a whole number from 0. */
export function assertUnits(option: string, units: unknown): asserts units is number {
  assertOption(isCount(units, 0), option, units, 'a whole number of units, from 0')
}

/** The name of the policy that a demand's `policy` belongs to: a plan may have a key of its own. */
export const policyOf = (key: string): string => key.replace(/\+.*/, '')

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

/** The cost that a policy's function returns. Throws a `ConfigError` unless it is a whole number. */
export async function costOf<Incoming extends Request, Host extends object>(
  { name, cost }: Policy<Incoming, Host>,
  request: Incoming,
  context: RequestContext & Host,
): Promise<number> {
  const units = typeof cost === 'function' ? await cost(request, context) : cost
  assertCost(`cost${name && ` of ${name}`}`, units)
  return units
}

/** Throws a `ConfigError` unless a cost is a whole number. Any number above the limit is refused. */
export function assertCost(option: string, cost: unknown): asserts cost is number {
  const isCost = typeof cost === 'number' && cost >= 0 && (cost % 1 === 0 || cost === Infinity)
  assertOption(isCost, option, cost, 'a whole number from 0')
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
  const isClient = typeof client === 'function'
  assertOption(isClient, `${prefix}client`, client, 'ip(), header(name) or a function')
  if (typeof cost !== 'function') assertCount(`${prefix}cost`, cost, 0, most)
  assertChoice(`${prefix}unknown`, unknown, ['share', 'refuse', 'pass'])
  assertFallback(`${prefix}fallback`, fallback)
  const isSettle = settle === undefined || settle === true || typeof settle === 'function'
  assertOption(isSettle, `${prefix}settle`, settle, 'true or a function that returns units')
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
