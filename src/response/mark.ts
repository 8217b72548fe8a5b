import type { Decision } from '../limiter/decision.ts'
import type { Fields } from './fields.ts'

/**
 * The response with the decision's fields; the same object unless its headers are immutable. A
 * response that asks shared caches to keep it gets none, since they would show one client's quota to
 * others. Any other becomes `private`: without a word on it, caches keep what they like (RFC 9111
 * §4.2.2).
 */
export function mark(response: Response, decision: Decision, fields: Fields): Response {
  if (decision.policy === undefined || fields.length === 0) return response
  const caching = cachingOf(response.headers)
  if (caching === 'shared') return response
  const isPrivate = caching === 'private'
  try {
    write(response.headers, decision, fields)
    if (!isPrivate) response.headers.append('Cache-Control', 'private')
    return response
  } catch {
    // Those that `fetch` and `Response.redirect` return are immutable, from the first field on. An
    // upgrade (101) and a network error (0) are no responses that anybody could build anew, nor is
    // one whose body has been read already.
    const { status, bodyUsed, body } = response
    if (status < 200 || bodyUsed || body?.locked) return response
    const copy = new Response(body, response)
    write(copy.headers, decision, fields)
    if (!isPrivate) copy.headers.append('Cache-Control', 'private')
    return copy
  }
}

/** What keeps a response out of caches that serve many clients, and what lets it in (RFC 9111 §5.2.2). */
const NOT_SHARED = /private|no-store/i
const SHARED = /public|s-maxage/i

/** `Cache-Control`, `Surrogate-Control` and the fields for one CDN, which go before it (RFC 9213). */
const CONTROL = /^(?:surrogate|(?:.+-)?cache)-control$/

/** Which caches may keep a response, if it says so. One pass costs less than a look-up for each field. */
function cachingOf(headers: Headers): 'shared' | 'private' | undefined {
  let caching: 'private' | undefined
  for (const name of headers.keys()) {
    if (!CONTROL.test(name)) continue
    const control = headers.get(name) ?? ''
    const isOfAll = name === 'cache-control'
    if (!NOT_SHARED.test(control)) {
      if (!isOfAll || SHARED.test(control)) return 'shared'
    } else if (isOfAll) caching = 'private'
  }
  return caching
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
