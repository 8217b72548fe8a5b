import { assertFunction, assertKeys, describeType } from '../checks.ts'
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
import { warnOfSharedNames } from './shared-names.ts'

/** One policy, or a list of them under `policies`; and what they share. */
export type LimiterOptions<Env extends object = object> = SharedOptions<Env> &
  (
    | (PolicyOptions & { readonly policies?: undefined })
    | ({ readonly policies: readonly PolicyOptions[] } & {
        readonly [Option in keyof PolicyOptions]?: undefined
      })
  )

export interface SharedOptions<Env extends object = object> {
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

/** The options of a limiter, checked and compiled. */
export interface CompiledOptions<Env extends object> {
  readonly policies: readonly Policy[]
  readonly fields: FieldWriters
  readonly storeFor: (env: Env | undefined) => Store
}

const SHARED_KEYS = ['store', 'timeout', 'headers', 'onStoreError', 'clock', 'timer']

/** Compiles the options. Throws a `ConfigError` for the first wrong option. */
export function compileOptions<Env extends object>(
  options: LimiterOptions<Env>,
): CompiledOptions<Env> {
  assertKeys('', options, ['policies', ...POLICY_KEYS, ...SHARED_KEYS], FOREIGN_NAMES)
  const {
    store,
    timeout = '1s',
    headers = 'draft-11',
    clock = systemClock,
    timer,
    onStoreError,
  } = options
  const policies = policiesOf(options)
  const ms = parseTimeout('timeout', timeout)
  // Usual values are some hundreds. A number below 50 was probably meant as seconds.
  warnOfBareNumber('timeout', timeout, 50)
  if (typeof store !== 'function') checkStore(store, policies)
  if (onStoreError !== undefined) assertFunction('onStoreError', onStoreError)
  assertFunction('clock', clock)
  if (timer !== undefined) assertFunction('timer', timer)
  warnOfSharedNames(store, policies)
  const aheads = new Map(policies.map(({ name, ahead }) => [name, ahead]))
  const isLeasing = policies.some(({ ahead }) => ahead !== undefined)
  let resolved: Store | undefined

  function guarded(asked: Store): Store {
    if (typeof asked.guard !== 'function') return asked
    return asked.guard(asked, {
      timeout: ms,
      ahead: isLeasing ? (name) => aheads.get(name) : undefined,
      clock,
      timer,
      onStoreError,
    })
  }

  return {
    policies,
    fields: compileFieldWriters(headers),
    storeFor(env) {
      resolved ??= guarded(
        typeof store === 'function' ? checkStore(makeStore(store, env), policies) : store,
      )
      return resolved
    },
  }
}

function policiesOf<Env extends object>(options: LimiterOptions<Env>): readonly Policy[] {
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

function checkStore(store: unknown, policies: readonly Policy[]): Store {
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
