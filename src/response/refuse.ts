import type { Decision } from '../limiter/decision.ts'
import { policyLabel, toSeconds } from './field-writer.ts'
import type { FieldWriters } from './field-writers.ts'
import { exposeFields, writeFields } from './mark.ts'
import { type Problem, problem } from './problem.ts'

/**
 * Returns the response to a refused request: 429 (RFC 6585 §4) with `Retry-After` in whole seconds
 * (RFC 9110 §10.2.3) and the problem type of the draft's §5. For an unknown client that a policy
 * refuses, 403 without `Retry-After`, since waiting does not help.
 */
export function refuse(decision: Decision, fields: FieldWriters, request?: Request): Response {
  const response = problem(refusalProblem(decision), request)
  const { headers } = response
  const wait = toSeconds(decision.retryIn)
  if (wait > 0) headers.set('Retry-After', `${wait}`)
  writeFields(headers, decision, fields)
  // The application may add the CORS fields later. They decide whether the caller can read these.
  if (request?.headers.has('Origin')) exposeFields(headers, fields, 'Retry-After')
  return response
}

function refusalProblem({ source, policies, retryIn }: Decision): Problem {
  if (source === 'unknown') {
    return { title: 'Forbidden', status: 403, detail: 'The client could not be identified.' }
  }
  const wait = toSeconds(retryIn)
  return {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Quota Exceeded',
    status: 429,
    detail: `Try again in ${wait} second${wait === 1 ? '' : 's'}.`,
    'violated-policies': policies.filter((policy) => policy.retryIn > 0).map(policyLabel),
  }
}
