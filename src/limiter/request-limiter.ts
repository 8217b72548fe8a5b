import { headerFields } from '../response/header-fields.ts'
import { mark } from '../response/mark.ts'
import {
  assertCheck,
  assertDecision,
  assertMark,
  assertNext,
  assertRefuse,
  assertResponse,
} from './arguments.ts'
import type { CheckContext } from './check-context.ts'
import type { CompiledOptions } from './compiled-options.ts'
import type { Decision } from './decision.ts'
import { requestHandler } from './request-handler.ts'

/**
 * What a limiter does with requests, for code that calls it. `Incoming` is the framework's type of
 * request, and `Host` what its adapter adds to the context.
 */
export interface RequestLimiter<
  Env extends object = object,
  Incoming extends Request = Request,
  Host extends object = object,
> {
  /**
   * Counts a request and returns whether it may pass. A store that fails makes the decision
   * `degraded` and throws nothing. Throws what a function in the options throws, and a
   * `ConfigError` if the environment cannot work or `request` is not a `Request`.
   */
  check(request: Incoming, context?: CheckContext<Env> & Host): Promise<Decision>
  /**
   * Counts a request, and returns the response of `next` with the header fields, or the refusal.
   * Calls `next` only for an allowed request. Throws what `check` and `next` throw.
   * @example
   * export const GET = (request: Request) =>
   *   limiter.handle(request, (decision) => Response.json({ left: decision.policy?.remaining }))
   */
  handle(
    request: Incoming,
    next: (decision: Decision) => Response | Promise<Response>,
    context?: CheckContext<Env> & Host,
  ): Promise<Response>
  /**
   * Returns the response to a refused request: that of the option `refusal`, otherwise 429 with a
   * problem body. Throws a `ConfigError` for a decision that allows the request, and if the option
   * `refusal` is set and `request` is missing.
   */
  refuse(decision: Decision, request?: Incoming, context?: CheckContext<Env> & Host): Response
  /**
   * Adds the decision's header fields to a response. Returns the same object if its headers can be
   * changed, otherwise a copy. A response that shared caches may keep gets no fields. Throws a
   * `ConfigError` if an argument is a promise.
   */
  mark(response: Response, decision: Decision): Response
  /**
   * Returns the decision's header fields, by names in lower case, for a framework whose response is
   * not a `Response`. With them comes `cache-control`: `private`, or `no-store` for a refusal. Do
   * not add the fields to a `public` response: a cache would show one client's quota to others. Of
   * two limiters, `response.set` keeps the fields of the last one.
   * @example
   * response.set(limiter.headers(decision))
   */
  headers(decision: Decision): Record<string, string>
}

/** Returns the limiter of requests with these options. */
export function requestLimiter<Env extends object, Incoming extends Request, Host extends object>(
  compiled: CompiledOptions<Env, Incoming, Host>,
): RequestLimiter<Env, Incoming, Host> {
  const { fields, refusal } = compiled
  const handler = requestHandler(compiled, assertCheck)

  return {
    check: handler.check,
    async handle(request, next, context) {
      assertNext(next)
      const respond = async (decision: Decision) => {
        const response = await next(decision)
        if (!(response instanceof Response)) assertResponse('handle', response)
        return response
      }
      return handler.handle(request, respond, context)
    },
    refuse(decision, request, context = {} as CheckContext<Env> & Host) {
      assertRefuse(decision, request, refusal !== undefined)
      return handler.refuse(decision, request, context)
    },
    mark(response, decision) {
      assertMark(response, decision)
      return mark(response, decision, fields)
    },
    headers(decision) {
      assertDecision('headers', decision)
      return headerFields(decision, fields)
    },
  }
}
