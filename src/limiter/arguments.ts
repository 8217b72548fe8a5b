import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import type { Decision } from './decision.ts'

/**
 * Throws a `ConfigError` unless `check` got a `Request` and an object such as `{ env, waitUntil }`.
 */
export function assertCheck(request: unknown, context: unknown): void {
  if (!(request instanceof Request)) assertRequest('check', request)
  if (typeof context !== 'object' || context === null) {
    reject('check', context, 'check(request, { env, waitUntil })')
  }
  const { ip } = context as { readonly ip?: unknown }
  if (typeof (ip ?? '') !== 'string') reject('ip', ip, "the client's address as a string")
}

/** Throws a `ConfigError` unless the second argument of `handle` is a function. */
export function assertNext(next: unknown): void {
  if (typeof next !== 'function') reject('handle', next, 'handle(request, (decision) => response)')
}

/**
 * Throws a `ConfigError` unless the option `refusal` returned a response that can be sent once
 * more.
 */
export function assertRefusal(response: unknown): asserts response is Response {
  // An async function may reject, which nobody would handle.
  if (response instanceof Promise) response.catch(() => {})
  assertResponse('refusal', response)
  const { status, bodyUsed, body } = response as Response
  if (status >= 200 && !bodyUsed && !body?.locked) return
  const want = 'a new Response for each request, with a status of 200 or above'
  throw new ConfigError('refusal', want, `a Response with status ${status}`)
}

/**
 * Throws a `ConfigError` unless a response was returned. `caller` is the option or method to name.
 */
export function assertResponse(caller: string, response: unknown): void {
  if (response instanceof Response || (hasHeaders(response) && 'status' in response)) return
  reject(caller, response, 'a Response')
}

/** Throws a `ConfigError` unless `mark` got a response and a decision. */
export function assertMark(response: unknown, decision: unknown): void {
  assertResponse('mark', response)
  assertDecision('mark', decision)
}

/** Throws a `ConfigError` unless `refuse` got a decision that refuses its request. */
export function assertRefuse(decision: unknown, request: unknown, isRequired: boolean): void {
  assertDecision('refuse', decision)
  if (decision.allowed) {
    throw new ConfigError('refuse', 'a decision whose `allowed` is false', 'an allowed request')
  }
  if (request === undefined && !isRequired) return
  if (!(request instanceof Request)) assertRequest('refuse', request)
}

/** Throws a `ConfigError` unless a method got a decision. */
export function assertDecision(method: string, value: unknown): asserts value is Decision {
  const decision = value as Partial<Decision> | null | undefined
  if (typeof decision?.allowed === 'boolean' && Array.isArray(decision.policies)) return
  reject(method, value, 'the decision of `await limiter.check(request)`')
}

/**
 * For a `Request` of another realm or a polyfill. The request of a framework has no such fields.
 */
function assertRequest(method: string, request: unknown): void {
  if (hasHeaders(request) && 'url' in request && 'method' in request) return
  reject(method, request, 'a Request of the Fetch API (in Node: toWebRequest)')
}

/**
 * Header fields are read with `has` and `keys`, too. The `headers` of a stub often have `get`
 * alone.
 */
function hasHeaders(value: unknown): value is { readonly headers: Headers } {
  const headers = (value as Response | null | undefined)?.headers
  return typeof headers?.has === 'function' && typeof headers.keys === 'function'
}

function reject(method: string, value: unknown, expected: string): never {
  throw new ConfigError(method, expected, describeValue(value))
}
