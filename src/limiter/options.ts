import { assertBoolean, assertChoice, assertFunction, assertKeys } from '../checks.ts'
import type { RequestContext } from '../client/client.ts'
import { type Clock, stopwatch, systemClock, type Timer } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import { type Duration, parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import { FOREIGN_NAMES } from '../policy/foreign-names.ts'
import { compilePolicies, compilePolicy, POLICY_KEYS, type Policy } from '../policy/policy.ts'
import type { PolicyOptions } from '../policy/policy-options.ts'
import {
  compileFieldWriters,
  type FieldWriters,
  type HeaderStyle,
} from '../response/field-writers.ts'
import type { Demand, Fallback, Store } from '../stores/store.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import { isDebugging, logChoices } from './debug.ts'
import type { Decision } from './decision.ts'
import type { DecisionEvent, DecisionHost } from './decision-event.ts'
import { type DecisionListener, decisionListener } from './decision-listener.ts'
import { checkStore, makeStore } from './open-store.ts'
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
   * older `X-RateLimit-*` (`'x-ratelimit'`), a list of both, or an empty list for none. Every 429
   * has `Retry-After` in any case.
   * @default 'draft-11'
   */
  readonly headers?: HeaderStyle | readonly HeaderStyle[] | undefined
  /**
   * Returns the response to a refused request, in place of the 429 and its problem body, and of the
   * 403 for an unknown client that a policy refuses (`decision.source` is `'unknown'`). Tidegate
   * adds `Retry-After`, the fields of `headers` and `Cache-Control: no-store` (RFC 6585 §4) to a
   * copy of the response, and none of them if the function throws.
   * @default 429 with a problem body (RFC 9457)
   */
  readonly refusal?: RefusalFunction<Incoming, Host> | undefined
  /**
   * Logs at the first request that counts: the store and the variable that names it, the platform,
   * and the client as the store sees it.
   * @default whether the variable `TIDEGATE_DEBUG` is `1` or `true`
   */
  readonly debug?: boolean | undefined
  /**
   * Called when the store is away, is back, or fails once. Errors that it throws are logged.
   * @default logs a warning, and another one when the store is back; at most one such pair a minute
   */
  readonly onStoreEvent?: ((event: StoreEvent) => unknown) | undefined
  /**
   * Called with each decision before `check` returns it, for logs and metrics. A promise that it
   * returns is kept alive by the host's `waitUntil`. Errors that it throws are logged.
   * @default nothing is called or measured
   */
  readonly onDecision?: ((event: DecisionEvent, host: DecisionHost<Env>) => unknown) | undefined
  /**
   * Whether the events of `onDecision` name the client: as the store's keys name it (`'plain'`), or
   * only its hash (`'hashed'`). The hash of an address can be reversed by trying all addresses.
   * @default no event names a client
   */
  readonly eventClients?: 'hashed' | 'plain' | undefined
  /**
   * Whether a store that is away is left alone, except for a probe now and then. Requests are then
   * decided at once, by the policy's `fallback`. `false`: each request asks the store, and waits
   * for it.
   * @default true
   */
  readonly breaker?: boolean | undefined
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
  /** `undefined` if nobody listens to decisions. */
  readonly listener: DecisionListener<Env> | undefined
  readonly clock: Clock
  readonly timer: Timer | undefined
  /** Returns the store that the limiter asks. The first call makes it. */
  readonly openStore: (env: Env | undefined, demands: readonly Demand[]) => Store
}

const SHARED_KEYS = [
  'store',
  'timeout',
  'headers',
  'breaker',
  'refusal',
  'debug',
  'onStoreEvent',
  'onDecision',
  'eventClients',
  'clock',
  'timer',
]

/** Compiles the options. Throws a `ConfigError` for the first wrong option. */
export function compileOptions<Env extends object, Incoming extends Request, Host extends object>(
  options: LimiterOptions<Env, Incoming, Host>,
): CompiledOptions<Env, Incoming, Host> {
  assertKeys('', options, ['policies', ...POLICY_KEYS, ...SHARED_KEYS], FOREIGN_NAMES)
  const {
    store,
    timeout = '1s',
    breaker,
    headers = 'draft-11',
    refusal,
    debug,
    clock = systemClock,
    timer,
    onStoreEvent,
    onDecision,
    eventClients,
  } = options
  const policies = policiesOf(options)
  const ms = parseTimeout('timeout', timeout)
  // Usual values are some hundreds. A number below 50 was probably meant as seconds.
  warnOfBareNumber('timeout', timeout, 50)
  if (typeof store !== 'function') checkStore(store, policies)
  for (const [option, value] of Object.entries({ debug, breaker })) {
    if (value !== undefined) assertBoolean(option, value)
  }
  for (const [option, value] of Object.entries({
    refusal,
    onStoreEvent,
    onDecision,
    clock,
    timer,
  })) {
    if (value !== undefined) assertFunction(option, value)
  }
  if (eventClients !== undefined) assertChoice('eventClients', eventClients, ['hashed', 'plain'])
  warnOfSharedNames(store, policies)
  const aheads = new Map<string, number>()
  const fallbacks = new Map<string, Fallback>()
  for (const policy of policies) {
    for (const { name } of policy.plans?.values() ?? [policy]) {
      if (policy.ahead !== undefined) aheads.set(name, policy.ahead)
      fallbacks.set(name, policy.fallback)
    }
  }

  let opened: Store | undefined
  function guarded(asked: Store): Store {
    if (typeof asked.guard !== 'function') return asked
    return asked.guard(asked, {
      timeout: ms,
      ahead: aheads,
      fallbacks,
      breaker,
      clock,
      timer,
      onStoreEvent,
    })
  }

  return {
    policies,
    clock,
    timer,
    fields: compileFieldWriters(headers),
    refusal,
    listener:
      onDecision &&
      // The machine's clock counts whole milliseconds, which is too coarse for a check.
      decisionListener(onDecision, eventClients, options.clock ?? stopwatch, clock),
    openStore(env, demands) {
      if (opened) return opened
      const asked =
        typeof store === 'function' ? checkStore(makeStore(store, env), policies) : store
      if (isDebugging(debug, env)) logChoices(asked, demands)
      opened = guarded(asked)
      return opened
    },
  }
}

function policiesOf<Env extends object, Incoming extends Request, Host extends object>(
  options: LimiterOptions<Env, Incoming, Host>,
): readonly Policy<Incoming, Host>[] {
  const listed = 'policies' in options && (options.limit ?? options.plans) === undefined
  if (!listed && options.policies === undefined) return [compilePolicy('', options)]
  const both = POLICY_KEYS.find((key) => options[key] !== undefined)
  if (both !== undefined) {
    throw new ConfigError(both, 'inside the entries of `policies`', 'it next to `policies`')
  }
  return compilePolicies('policies', options.policies)
}
