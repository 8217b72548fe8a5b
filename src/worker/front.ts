import { assertOption, describeType } from '../checks.ts'
import { systemClock } from '../clock.ts'
import { processEnv, variable, variablesOf } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { compileOptions } from '../limiter/compiled-options.ts'
import type { SharedOptions } from '../limiter/limiter-options.ts'
import { type RequestHandler, requestHandler } from '../limiter/request-handler.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import { policiesFromEnv } from '../policy/policies-from-env.ts'
import type { PolicyOptions } from '../policy/policy-options.ts'
import { quietLog } from '../quiet-log.ts'
import { policyLabel } from '../response/field-writer.ts'
import { problem } from '../response/problem.ts'
import { removePolicies } from '../response/remove-policies.ts'
import { durableObject, type ObjectNamespace } from '../stores/durable-object.ts'
import { resolveStore } from '../stores/named-store.ts'
import type { Store } from '../stores/store.ts'
import { storeFromEnv } from '../stores/store-from-env.ts'
import { parseUrl } from '../url.ts'
import { type Cors, compileCors } from './cors.ts'
import { forward, type Origin, refuseToForward } from './origin.ts'

/** The variables that configure the Worker. */
export interface FrontEnv {
  /**
   * Where allowed requests go.
   * @default on Cloudflare the zone's own origin; elsewhere every request gets 500
   */
  readonly ORIGIN_URL?: string | undefined
  /**
   * The policies: a list in `[vars]`, or JSON text.
   * @default the option `policies`; without both, every request gets 500
   */
  readonly POLICIES?: unknown
  /**
   * Sent to the origin as `X-Origin-Secret`, so that it can refuse requests that bypass the gate.
   * @default the field is not sent
   */
  readonly ORIGIN_SECRET?: string | undefined
  /**
   * How long the origin may take to begin its response, including an upload.
   * @default '30s'
   */
  readonly ORIGIN_TIMEOUT?: Duration | undefined
  /**
   * The origins whose scripts may read the Worker's own responses, such as a 429: `*`, or a list
   * separated by commas. The origin server decides for its own responses.
   * @default no other origin
   */
  readonly CORS_ORIGINS?: string | readonly string[] | undefined
  /**
   * The binding of `TidegateObject`. The Worker counts in it if the variables name no Redis.
   * @default memory counts, with a warning
   */
  readonly TIDEGATE?: ObjectNamespace | undefined
}

/** Options in code. They override the variables. */
export interface FrontOptions extends Omit<SharedOptions<object>, 'store'> {
  /**
   * Where the counts are kept: a store, or a function that makes one from the variables.
   * @default the Redis that the variables name, else the Durable Object, else memory
   */
  readonly store?: SharedOptions<object>['store'] | undefined
  /**
   * The policies, if their clients or paths need code.
   * @default the variable POLICIES
   */
  readonly policies?: readonly PolicyOptions[] | undefined
  /**
   * The origins whose scripts may read the Worker's own responses, such as a 429: `'*'`, or a list.
   * @default the variable CORS_ORIGINS; without it, no other origin
   */
  readonly cors?: Cors | undefined
}

/** The variables and the options, compiled. */
interface Gate {
  readonly handler: RequestHandler
  readonly origin: Origin
  /** The names of all policies in `RateLimit`; `undefined` if this field is not sent. */
  readonly policyLabels: ReadonlySet<string> | undefined
}

/** The part of a Worker's context that keeps work alive after the response. */
interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** A Worker in front of an origin. */
export interface Front {
  fetch(request: Request, env?: object, context?: ExecutionContext): Promise<Response>
}

/**
 * Makes a Worker in front of an origin: it counts each request and forwards allowed requests. Reads
 * the variables at the first request. While a variable is wrong, every request gets 500, and the
 * log names the variable and what was expected.
 *
 * @example
 * import { front } from 'tidegate/worker'
 * export { TidegateObject } from 'tidegate/worker'
 *
 * export default front({ policies: [{ name: 'api', limit: 100, window: '1m', match: '/api/*' }] })
 */
export function front(options: FrontOptions = {}): Front {
  let gate: Gate | undefined
  const log = quietLog(toConsole, options.clock ?? systemClock)

  return {
    async fetch(request, env = processEnv(), context) {
      try {
        gate ??= compileGate(options, variablesOf(env))
        const { handler, origin, policyLabels } = gate
        const notForwarded = refuseToForward(request, origin)
        if (notForwarded !== undefined) return notForwarded
        let isForwarded = false
        const response = await handler.handle(
          request,
          async (decision) => {
            isForwarded = true
            const answer = await forward(request, origin)
            const isTold = policyLabels !== undefined && decision.policy !== undefined
            return isTold ? removePolicies(answer, policyLabels) : answer
          },
          { env, waitUntil: context && ((work) => context.waitUntil(work)) },
        )
        return isForwarded ? response : origin.addCors(response, request)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        log(error.message)
        return problem(MISCONFIGURED, request)
      }
    },
  }
}

const toConsole = (line: string) => console.error(`tidegate: ${line}`)

const MISCONFIGURED = {
  title: 'Internal Server Error',
  status: 500,
  detail: 'The gate is misconfigured. See its log.',
}

/** Compiles the options and variables. Throws a `ConfigError` that names the wrong variable. */
export function compileGate(options: FrontOptions, env: FrontEnv): Gate {
  const read = (name: keyof FrontEnv) => variable(variablesOf(env), name)
  const { policies = policiesFromEnv(read('POLICIES')), cors, ...shared } = options
  const handler = requestHandler(
    compileOptions<object, Request, object>({
      ...shared,
      store: shared.store ?? storeFromWorkerEnv,
      policies,
    }),
  )
  const isTold = [shared.headers ?? 'draft-11'].flat().includes('draft-11')
  const policyLabels = isTold
    ? new Set(policies.map(({ name = '' }) => policyLabel({ name })))
    : undefined
  const clock = shared.clock ?? systemClock
  const [url, secret] = [read('ORIGIN_URL'), read('ORIGIN_SECRET')]
  const timeout = read('ORIGIN_TIMEOUT')
  const origin = {
    url: url === undefined ? undefined : parseOrigin(url),
    secret: secret === undefined ? undefined : parseSecret(secret),
    timeout: parseTimeout('ORIGIN_TIMEOUT', timeout ?? '30s'),
    addCors: compileCors(
      cors === undefined ? 'CORS_ORIGINS' : 'cors',
      cors ?? read('CORS_ORIGINS'),
    ),
    logRefused: quietLog(toConsole, clock),
    logFailed: quietLog(toConsole, clock),
  }
  warnOfBareNumber('ORIGIN_TIMEOUT', timeout)
  return { handler, origin, policyLabels }
}

/** Returns the Redis that the variables name, else the Durable Object, else memory. */
function storeFromWorkerEnv(env: object): Store {
  const named = resolveStore([variablesOf(env)], 'TIDEGATE')
  if (named?.kind !== 'durable-object') return storeFromEnv(env)
  const store = durableObject(named.namespace)
  return { ...store, label: `${store.label}, from TIDEGATE` }
}

function parseOrigin(url: unknown): URL {
  const expected = 'the URL of the origin, such as "https://origin.example.com"'
  assertOption(typeof url === 'string' && url !== '', 'ORIGIN_URL', url, expected)
  // Not shown: it may hold a password.
  const parsed = /^https?:\/\/[^\s"']+$/.test(url) ? parseUrl(url) : undefined
  if (parsed === undefined) {
    throw new ConfigError('ORIGIN_URL', expected, 'a string that is not such a URL')
  }
  if (parsed.search || parsed.hash || parsed.username || parsed.password) {
    throw new ConfigError('ORIGIN_URL', expected, 'a URL with a query, a fragment or a user')
  }
  return parsed
}

function parseSecret(secret: unknown): string {
  if (typeof secret === 'string' && /^[\x21-\x7e]{8,}$/.test(secret)) return secret
  throw new ConfigError(
    'ORIGIN_SECRET',
    'at least 8 printable ASCII characters without spaces',
    describeType(secret),
  )
}
