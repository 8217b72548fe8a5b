import type { Decision } from '../limiter/decision.ts'
import { removeCacheFields } from './cache-control.ts'
import { exposeFields } from './expose-fields.ts'
import { policyLabel, toSeconds } from './field-writer.ts'
import type { FieldWriters } from './field-writers.ts'
import { type Problem, problem } from './problem.ts'

/**
 * Returns the response to a refused request: a problem (RFC 9457), or a copy of the application's
 * own response with the fields of a refusal. A copy, because the application may return one response
 * again and again, which would collect fields.
 */
export function refuse(
  decision: Decision,
  fields: FieldWriters,
  request?: Request,
  own?: Response,
): Response {
  const response = own ? new Response(own.body, own) : refusalProblem(decision, request)
  if (own) removeCacheFields(response.headers)
  writeRefusal(response.headers, decision, fields, request)
  return response
}

/**
 * Writes the fields of a refusal: those of the policies, `Retry-After` in whole seconds (RFC 9110
 * §10.2.3), and `no-store` (RFC 6585 §4). For an unknown client that a policy refuses, and
 * for a cost above the limit, writes no `Retry-After`, since waiting does not help.
 */
export function writeRefusal(
  headers: Headers,
  { policies, policy, retryIn }: Decision,
  fields: FieldWriters,
  request?: Request,
): void {
  headers.set('Cache-Control', 'no-store')
  const wait = toSeconds(retryIn)
  if (wait > 0) headers.set('Retry-After', `${wait}`)
  if (policy) for (const field of fields) field.write(headers, policies, policy)
  // The application may add the CORS fields later. They decide whether the caller can read these.
  if (request?.headers.has('Origin')) exposeFields(headers, fields, 'Retry-After')
}

/** The draft's problem types (§5) with 429 (RFC 6585 §4) or 503; 403 for an unknown client. */
function refusalProblem({ source, policies, retryIn }: Decision, request?: Request): Response {
  const wait = toSeconds(retryIn)
  return problem(
    PROBLEMS[source] ?? {
      ...QUOTA_EXCEEDED,
      detail: `Try again in ${wait} second${wait === 1 ? '' : 's'}.`,
      'violated-policies': policies.filter((policy) => policy.retryIn > 0).map(policyLabel),
    },
    request,
  )
}

const TYPES = 'https://iana.org/assignments/http-problem-types#'

const QUOTA_EXCEEDED = { type: `${TYPES}quota-exceeded`, title: 'Quota Exceeded', status: 429 }

/** The problems in which waiting for the window does not help, by the source of the decision. */
const PROBLEMS: Partial<Record<Decision['source'], Problem>> = {
  /** A policy with the fallback `'closed'`, while the store is away. */
  closed: {
    type: `${TYPES}temporary-reduced-capacity`,
    title: 'Temporary Reduced Capacity',
    status: 503,
    detail: 'The service cannot count requests at the moment. Try again later.',
  },
  cost: {
    ...QUOTA_EXCEEDED,
    detail: 'The request costs more than the limit. Waiting will not help.',
  },
  unknown: {
    title: 'Forbidden',
    status: 403,
    detail: 'The client could not be identified.',
  },
}
