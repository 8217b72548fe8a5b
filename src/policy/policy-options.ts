import type { Client, RequestContext } from '../client/client.ts'
import type { Fallback } from '../stores/guard-options.ts'
import type { Duration } from './duration.ts'
import type { LeaseOptions } from './lease-option.ts'
import type { LimitFunction, PlanFunction } from './quota.ts'
import type { PlanOptions } from './quota-option.ts'

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
   * Limits by the name of a plan, in place of `limit`. Plans with the window of the first plan
   * share one count, so a client that changes its plan keeps it. Others count by themselves.
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

export type MatchFunction<Incoming extends Request, Host extends object> = (
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
