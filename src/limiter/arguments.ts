import { ConfigError, show } from '../errors.ts'
import type { Decision } from './decision.ts'

/** Throws a `ConfigError` unless a check got a `Request`: other frameworks have requests of their own. */
export function assertRequest(request: unknown): asserts request is Request {
  // Or one of another realm or polyfill.
  if (request instanceof Request || (hasHeaders(request) && 'url' in request)) return
  reject('check', request, 'a Request of the Fetch API')
}

/** Throws a `ConfigError` unless a response is marked by a decision. */
export function assertMark(response: unknown, decision: unknown): void {
  if (!hasHeaders(response)) reject('mark', response, 'a Response')
  assertDecision('mark', decision)
}

/** Throws a `ConfigError` unless a decision refuses its request. */
export function assertRefusal(decision: unknown): void {
  assertDecision('refuse', decision)
  if (decision.allowed) reject('refuse', decision, 'a decision whose `allowed` is false')
}

function assertDecision(method: string, value: unknown): asserts value is Decision {
  if (typeof (value as Decision | undefined)?.allowed === 'boolean') return
  reject(method, value, 'the decision of `await limiter.check(request)`')
}

const hasHeaders = (value: unknown): value is { readonly headers: Headers } =>
  typeof (value as Response | null | undefined)?.headers?.get === 'function'

function reject(method: string, value: unknown, want: string): never {
  throw new ConfigError(method, value instanceof Promise ? 'a promise' : show(value), want)
}
