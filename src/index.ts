/** Rate limiting for code that runs at the edge, with any framework or none: `tidegate`. */
export type { Client, Identity, RequestContext } from './client/client.ts'
export { header } from './client/header.ts'
export { type IpOptions, ip } from './client/ip.ts'
export type { Clock, Timer } from './clock.ts'
export type { Environment, Platform } from './environment.ts'
export { ConfigError, StoreError, type StoreErrorCode } from './errors.ts'
export { guard } from './isolate/guard.ts'
export type { Decision, PolicyState } from './limiter/decision.ts'
export type { DecisionEvent, DecisionHost, PolicyOutcome } from './limiter/decision-event.ts'
export {
  type CheckContext,
  createLimiter,
  type Limiter,
} from './limiter/limiter.ts'
export type { LimiterOptions, RefusalFunction, SharedOptions } from './limiter/limiter-options.ts'
export type {
  CallOptions,
  UnitClient,
  Units,
  UnitsOptions,
  WaitOptions,
} from './limiter/units-options.ts'
export type { Duration } from './policy/duration.ts'
export type {
  CostFunction,
  LeaseOptions,
  LimitFunction,
  PlanFunction,
  PlanOptions,
  PolicyOptions,
  SettleFunction,
  UnknownClient,
} from './policy/policy-options.ts'
export type { HeaderStyle } from './response/field-writers.ts'
export type { Fallback, GuardedPolicy, GuardOptions } from './stores/guard-options.ts'
export { keyOf } from './stores/key.ts'
export { type MemoryOptions, memory } from './stores/memory.ts'
export type {
  CountedKey,
  Demand,
  Grant,
  Guard,
  Owed,
  Settlement,
  Source,
  Store,
} from './stores/store.ts'
export type { StoreCall, StoreOperation } from './stores/store-call.ts'
export type { StoreEvent } from './stores/store-event.ts'
export { storeFromEnv } from './stores/store-from-env.ts'
