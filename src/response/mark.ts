import type { Decision } from '../limiter/decision.ts'
import type { Fields } from './fields.ts'

/** The response with the decision's fields; the same object unless its headers are immutable. */
export function mark(response: Response, decision: Decision, fields: Fields): Response {
  try {
    write(response.headers, decision, fields)
    return response
  } catch {
    // Those that `fetch` and `Response.redirect` return are immutable, from the first field on. An
    // upgrade (101) and a network error (0) are no responses that anybody could build anew, nor is
    // one whose body has been read already.
    const { status, bodyUsed, body } = response
    if (status < 200 || bodyUsed || body?.locked) return response
    const copy = new Response(body, response)
    write(copy.headers, decision, fields)
    return copy
  }
}

/** Writes the fields of the policies that counted the request, if any did. */
export function write(headers: Headers, { policies, policy }: Decision, fields: Fields): void {
  if (policy === undefined) return
  for (const field of fields) field.write(headers, policies, policy)
  if (headers.has('Access-Control-Allow-Origin')) expose(headers, fields)
}

/** Lets scripts of another origin read the fields (https://fetch.spec.whatwg.org/#cors-protocol). */
export function expose(headers: Headers, fields: Fields, ...more: readonly string[]): void {
  const exposed = `${headers.get('Access-Control-Expose-Headers')}`.toLowerCase().split(/[\s,]+/)
  for (const name of [...fields.flatMap(({ names }) => names), ...more]) {
    if (exposed.includes(name.toLowerCase())) continue
    headers.append('Access-Control-Expose-Headers', name)
  }
}
