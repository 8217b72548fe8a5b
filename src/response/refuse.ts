import type { Decision } from '../limiter/decision.ts'
import type { Fields } from './fields.ts'
import { expose, write } from './mark.ts'
import { type Problem, problem } from './problem.ts'
import { nameOf, seconds } from './writer.ts'

/**
 * The answer to a request that may not pass: 429 (RFC 6585 §4) with `Retry-After` in whole seconds
 * (RFC 9110 §10.2.3) and the problem type of the draft's §5; 403 for a client that a policy refuses
 * as unknown, whom no waiting helps.
 */
export function refuse(decision: Decision, fields: Fields, request?: Request): Response {
  const response = problem(problemOf(decision), request)
  const { headers } = response
  const wait = seconds(decision.retryIn)
  if (wait > 0) headers.set('Retry-After', `${wait}`)
  write(headers, decision, fields)
  // Only whoever adds the CORS fields later knows whether the caller may read any of this.
  if (request?.headers.has('Origin')) expose(headers, fields, 'Retry-After')
  return response
}

function problemOf({ source, policies, retryIn }: Decision): Problem {
  if (source === 'unknown') {
    return { title: 'Forbidden', status: 403, detail: 'The client could not be identified.' }
  }
  const wait = seconds(retryIn)
  return {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Quota Exceeded',
    status: 429,
    detail: `Try again in ${wait} second${wait === 1 ? '' : 's'}.`,
    'violated-policies': policies.filter((policy) => policy.retryIn > 0).map(nameOf),
  }
}
