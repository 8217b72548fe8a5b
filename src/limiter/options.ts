import { assertFunction, assertKeys, describeType } from '../checks.ts'
import type { RequestContext } from '../client/client.ts'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import { processEnv } from '../environment.ts'
import { ConfigError, type StoreError } from '../errors.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import { FOREIGN_NAMES } from '../policy/foreign-names.ts'
import {
  compilePolicies,
  compilePolicy,
  POLICY_KEYS,
  type Policy,
  type PolicyOptions,
} from '../policy/policy.ts'
import {
  compileFieldWriters,
  type FieldWriters,
  type HeaderStyle,
} from '../response/field-writers.ts'
import type { Store } from '../stores/store.ts'
import type { Decision } from './decision.ts'
import { warnOfSharedNames } from './shared-names.ts'

/**
 * One policy, or a list of them under `policies`; and what they share. `Env` is the host's type of
 * bindings, `Incoming` its type of request, and `Host` what its adapter adds to the context.
 */
export type LimiterOptions<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> = SharedOptions<Env, Incoming, Host> &
  (
    | (PolicyOptions<Incoming, Host> & { readonly policies?: undefined })
    | ({ readonly policies: readonly PolicyOptions<Incoming, Host>[] } & {
        readonly [Option in keyof PolicyOptions]?: undefined
      })
  )

export interface SharedOptions<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> {
  /**
   * Where the counts are kept: a store, or a function that makes one from the environment, such as
   * `storeFromEnv`. The function is called once, with the environment of the first request.
   */
  readonly store: Store | ((env: Env) => Store)
  /**
   * How long a check may wait for the store. After that time this isolate counts alone, and the
   * decision is `degraded`. A bare number is in milliseconds; below 50 it logs a warning.
   * @default '1s'
   */
  readonly timeout?: Duration | undefined
  /**
   * Which header fields tell the client its quota: those of the newest draft (`'draft-11'`), the
   * older `X-RateLimit-*` (`'x-ratelimit'`), a list of both, or an empty list for none. Every 429 has
   * `Retry-After` in any case.
   * @default 'draft-11'
   */
  readonly headers?: HeaderStyle | readonly HeaderStyle[] | undefined
  /**
   * Returns the response to a refused request, in place of the 429 and its problem body, and of the 403
   * for an unknown client that a policy refuses (`decision.source` is `'unknown'`). Tidegate adds
   * `Retry-After`, the fields of `headers` and `Cache-Control: no-store` (RFC 6585 §4) to the response.
   * @default 429 with a problem body (RFC 9457)
   */
  readonly refusal?: RefusalFunction<Incoming, Host> | undefined
  /**
   * Called when the store stops answering, once per outage and isolate. Errors that it throws are
   * logged.
   * @default logs a warning, and another one when the store is back; at most one such pair a minute
   */
  readonly onStoreError?: ((error: StoreError) => unknown) | undefined
  /**
   * The clock for what this isolate counts and keeps by itself. The store has its own clock.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
  /**
   * The timer that ends a check after `timeout`. With a `clock` of your own, tests need not wait.
   * @default the runtime's timer
   */
  readonly timer?: Timer | undefined
}

export type RefusalFunction<Incoming extends Request = Request, Host extends object = object> = (
  decision: Decision,
  request: Incoming,
  context: RequestContext & Host,
) => Response

/** The options of a limiter, checked and compiled. */
export interface CompiledOptions<
  Env extends object,
  Incoming extends Request,
  Host extends object,
> {
  readonly policies: readonly Policy<Incoming, Host>[]
  readonly fields: FieldWriters
  readonly refusal: RefusalFunction<Incoming, Host> | undefined
  /** Makes the store that the limiter asks. To be called once, at the first request that counts. */
  readonly openStore: (env: Env | undefined) => Store
}

const SHARED_KEYS = ['store', 'timeout', 'headers', 'refusal', 'onStoreError', 'clock', 'timer']

/** Compiles the options. Throws a `ConfigError` for the first wrong option. */
export function compileOptions<Env extends object, Incoming extends Request, Host extends object>(
  options: LimiterOptions<Env, Incoming, Host>,
): CompiledOptions<Env, Incoming, Host> {
  assertKeys('', options, ['policies', ...POLICY_KEYS, ...SHARED_KEYS], FOREIGN_NAMES)
  const {
    store,
    timeout = '1s',
    headers = 'draft-11',
    refusal,
    clock = systemClock,
    timer,
    onStoreError,
  } = options
  const policies = policiesOf(options)
  const ms = parseTimeout('timeout', timeout)
  // Usual values are some hundreds. A number below 50 was probably meant as seconds.
  warnOfBareNumber('timeout', timeout, 50)
  if (typeof store !== 'function') checkStore(store, policies)
  if (refusal !== undefined) assertFunction('refusal', refusal)
  if (onStoreError !== undefined) assertFunction('onStoreError', onStoreError)
  assertFunction('clock', clock)
  if (timer !== undefined) assertFunction('timer', timer)
  warnOfSharedNames(store, policies)
  const aheads = new Map(
    policies.flatMap(({ name, ahead }) => (ahead === undefined ? [] : [[name, ahead] as const])),
  )

  function guarded(asked: Store): Store {
    if (typeof asked.guard !== 'function') return asked
    return asked.guard(asked, {
      timeout: ms,
      ahead: aheads,
      clock,
      timer,
      onStoreError,
    })
  }

  return {
    policies,
    fields: compileFieldWriters(headers),
    refusal,
    openStore: (env) =>
      guarded(typeof store === 'function' ? checkStore(makeStore(store, env), policies) : store),
  }
}

function policiesOf<Env extends object, Incoming extends Request, Host extends object>(
  options: LimiterOptions<Env, Incoming, Host>,
): readonly Policy<Incoming, Host>[] {
  const listed = 'policies' in options && options.limit === undefined
  if (!listed && options.policies === undefined) return [compilePolicy('', options)]
  const both = POLICY_KEYS.find((key) => options[key] !== undefined)
  if (both !== undefined) {
    throw new ConfigError(both, 'an option beside `policies`', 'it inside an entry of `policies`')
  }
  return compilePolicies('policies', options.policies)
}

/** Calls the function given as `store` with the host's environment, otherwise with the process's. */
function makeStore<Env extends object>(make: (env: Env) => Store, env: Env | undefined): Store {
  try {
    return make(env ?? (processEnv() as Env))
  } catch (error) {
    // An error that names a variable is complete.
    const isOfVariable = error instanceof ConfigError && /^[A-Z]/.test(error.option)
    if (isOfVariable || (env && !(error instanceof ConfigError))) throw error
    throw new ConfigError(
      'store',
      `a function that failed (${error instanceof Error ? error.message : error})`,
      'memory() with its parentheses, or (env) => upstash({ url: env.URL, token: env.TOKEN })' +
        (env ? '' : ' and check(request, { env })'),
    )
  }
}

function checkStore<Incoming extends Request, Host extends object>(
  store: unknown,
  policies: readonly Policy<Incoming, Host>[],
): Store {
  if (!isStore(store)) {
    const want = 'a store such as memory(), or a function such as storeFromEnv'
    throw new ConfigError('store', describeType(store), want)
  }
  if (store.guard !== 'none' && typeof store.guard !== 'function') {
    throw new ConfigError(
      'store',
      'one that does not say its `guard`',
      "that of tidegate, or 'none' for one that counts in this isolate's memory",
    )
  }
  if (store.oneClient && policies.some(({ client }) => client !== policies[0]?.client)) {
    throw new ConfigError(
      'policies',
      'clients that differ between policies',
      'one `client` for all of them: this store keeps those of each client apart',
    )
  }
  return store
}

const isStore = (value: unknown): value is Store =>
  typeof (value as Store | null)?.take === 'function'
