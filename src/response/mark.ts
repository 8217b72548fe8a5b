import type { Decision } from '../limiter/decision.ts'
import type { Fields } from './fields.ts'

/** The response with the decision's fields; the same object unless its headers are immutable. */
export function mark(response: Response, decision: Decision, fields: Fields): Response {
  const { policies, policy } = decision
  if (policy === undefined || fields.length === 0) return response
  const mutable = hasMutableHeaders(response)
  if (!mutable && !canCopy(response)) return response
  const marked = mutable ? response : new Response(response.body, response)
  for (const field of fields) field.write(marked.headers, policies, policy)
  if (marked.headers.has('Access-Control-Allow-Origin')) expose(marked.headers, fields)
  return marked
}

/** Lets scripts of another origin read the fields (https://fetch.spec.whatwg.org/#cors-protocol). */
export function expose(headers: Headers, fields: Fields, ...more: readonly string[]): void {
  const names = [...fields.flatMap((field) => field.names), ...more]
  const exposed = (headers.get('Access-Control-Expose-Headers') ?? '').toLowerCase().split(/[\s,]+/)
  const missing = names.filter((name) => !exposed.includes(name.toLowerCase()))
  if (missing.length > 0) headers.append('Access-Control-Expose-Headers', missing.join(', '))
}

/**
 * An upgrade (101) and a network error (0) are no responses that anybody could build anew, nor is
 * one whose body has been read already.
 */
const canCopy = ({ status, bodyUsed, body }: Response) =>
  status >= 200 && !bodyUsed && !body?.locked

/** Those that `fetch` and `Response.redirect` return are immutable; that only trying tells. */
function hasMutableHeaders({ headers }: Response): boolean {
  try {
    headers.delete('RateLimit-Probe')
    return true
  } catch {
    return false
  }
}
