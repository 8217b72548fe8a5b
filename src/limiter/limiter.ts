import { compileOptions } from './compiled-options.ts'
import type { LimiterOptions } from './limiter-options.ts'
import { type RequestLimiter, requestLimiter } from './request-limiter.ts'
import { type UnitLimiter, unitLimiter } from './unit-limiter.ts'

export type { CheckContext } from './check-context.ts'

/**
 * Rate limiting for any code that gets a `Request` and returns a `Response`, and for code that has
 * no request. `Incoming` is the framework's type of request, and `Host` what its adapter adds to
 * the context.
 */
export interface Limiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> extends RequestLimiter<Env, Incoming, Host>,
    UnitLimiter<Env> {}

/**
 * Makes a limiter. Options are checked at once (`ConfigError`); nothing else happens before the
 * first request.
 * @example
 * const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })
 */
export function createLimiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
>(options: LimiterOptions<Env, Incoming, Host>): Limiter<Env, Incoming, Host> {
  const compiled = compileOptions(options)
  return { ...requestLimiter(compiled), ...unitLimiter(compiled) }
}
