import { ConfigError, show } from '../errors.ts'
import type { Decision } from './decision.ts'

/** Throws a `ConfigError` unless a check got a `Request`: other frameworks have requests of their own. */
export function assertRequest(request: unknown): asserts request is Request {
  if (request instanceof Request) return
  // One of another realm or polyfill.
  const { url, headers } = Object(request) as { url?: unknown; headers?: { get?: unknown } }
  if (typeof url === 'string' && typeof headers?.get === 'function') return
  throw new ConfigError('check', nameOf(request), 'a Request of the Fetch API, as handlers get it')
}

/** Throws a `ConfigError` unless a response is marked by a decision. */
export function assertMark(response: unknown, decision: unknown): void {
  const { headers } = Object(response) as { headers?: { get?: unknown } }
  if (typeof headers?.get !== 'function') {
    throw new ConfigError('mark', nameOf(response), 'a Response')
  }
  if (!isDecision(decision)) throw new ConfigError('mark', nameOf(decision), DECISION)
}

/** Throws a `ConfigError` unless a decision refuses its request. */
export function assertRefusal(decision: unknown): void {
  if (!isDecision(decision)) throw new ConfigError('refuse', nameOf(decision), DECISION)
  if (decision.allowed) {
    throw new ConfigError('refuse', 'a decision that allows', 'one whose `allowed` is false')
  }
}

const DECISION = 'the decision of `await limiter.check(request)`'

const isDecision = (value: unknown): value is Decision =>
  typeof (value as Decision | undefined)?.allowed === 'boolean'

const nameOf = (value: unknown) => (value instanceof Promise ? 'a promise' : show(value))
