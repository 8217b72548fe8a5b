import { assertBoolean, assertChoice, assertFunction, assertKeys } from '../checks.ts'
import { type Clock, stopwatch, systemClock, type Timer } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import { parseTimeout, warnOfBareNumber } from '../policy/duration.ts'
import { FOREIGN_NAMES } from '../policy/foreign-names.ts'
import { compilePolicies, compilePolicy, POLICY_KEYS, type Policy } from '../policy/policy.ts'
import { compileFieldWriters, type FieldWriters } from '../response/field-writers.ts'
import type { GuardedPolicy } from '../stores/guard-options.ts'
import type { Demand, Store } from '../stores/store.ts'
import { isDebugging, logChoices } from './debug.ts'
import { type DecisionListener, decisionListener } from './decision-listener.ts'
import type { LimiterOptions, RefusalFunction } from './limiter-options.ts'
import { checkStore, makeStore } from './open-store.ts'
import { warnOfSharedNames } from './shared-names.ts'

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
  const counted = new Map<string, GuardedPolicy>()
  for (const policy of policies) {
    for (const { name } of policy.plans?.values() ?? [policy]) counted.set(name, policy)
  }

  let opened: Store | undefined
  function guarded(asked: Store): Store {
    if (typeof asked.guard !== 'function') return asked
    return asked.guard(asked, {
      timeout: ms,
      policies: counted,
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
