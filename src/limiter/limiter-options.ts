import type { RequestContext } from '../client/client.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Duration } from '../policy/duration.ts'
import type { PolicyOptions } from '../policy/policy-options.ts'
import type { HeaderStyle } from '../response/field-writers.ts'
import type { Store } from '../stores/store.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import type { Decision } from './decision.ts'
import type { DecisionEvent, DecisionHost } from './decision-event.ts'

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
