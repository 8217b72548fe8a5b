import { detectPlatform } from '../environment.ts'
import type { Decision } from '../limiter/decision.ts'
import type { Fields } from './fields.ts'

/**
 * Adds the decision's fields to a response, or to a copy if its headers are immutable. A response
 * that shared caches may keep gets no fields, since a cache would show one client's quota to
 * others. Every other response becomes `private`: caches may also keep a response without
 * `Cache-Control` (RFC 9111 §4.2.2).
 */
export function mark(response: Response, decision: Decision, fields: Fields): Response {
  if (decision.policy === undefined || fields.length === 0) return response
  const control = privateControl(response.headers)
  if (control === undefined) return response
  const put = (headers: Headers) => {
    write(headers, decision, fields)
    if (control) headers.set('Cache-Control', control)
  }
  try {
    put(response.headers)
    return response
  } catch {
    // Those that `fetch` and `Response.redirect` return are immutable, from the first field on. An
    // upgrade (101) and a network error (0) are no responses that anybody could build anew, nor is
    // one whose body has been read already.
    const { status, bodyUsed, body } = response
    if (status < 200 || bodyUsed || body?.locked) return response
    const copy = new Response(body, response)
    put(copy.headers)
    return copy
  }
}

/**
 * `Cache-Control`, and the fields that go before it for one kind of cache: RFC 9213's, Akamai's
 * `Edge-Control`, nginx's `X-Accel-Expires`.
 */
const CONTROL = /(?:surrogate|edge|cache)-control$|^x-accel-expires$/

/** Those that Cloudflare's cache obeys: a Worker has no other cache in front of it. */
const AT_CLOUDFLARE = ['cache-control', 'cdn-cache-control', 'cloudflare-cdn-cache-control']

/** Blanks, and quoted texts, also one that does not end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?|\s/g

/**
 * Directives that keep a response out of shared caches, and directives that let it in (RFC 9111
 * §5.2.2). `private="a"` keeps out the field `a` alone. Beside `must-understand` caches may ignore
 * `no-store`.
 */
const NOT_SHARED = /,private,|^(?!.*must-understand).*,no-store,/i
const SHARED = /,(?:public|s-maxage)[,=]|,private=/i

/**
 * Returns the `Cache-Control` that keeps a response out of shared caches; '' if the response has such
 * a field already, `undefined` if it asks shared caches to keep it.
 */
function privateControl(headers: Headers): string | undefined {
  let control = 'private'
  // In workerd a pass over all fields costs as much as ten look-ups, on Node as much as one.
  const names = detectPlatform() === 'cloudflare' ? AT_CLOUDFLARE : headers.keys()
  for (const name of names) {
    const given = CONTROL.test(name) && headers.get(name)
    if (typeof given !== 'string') continue
    const directives = `,${given.replace(QUOTED, '')},`
    const isOfAll = name === 'cache-control'
    if (NOT_SHARED.test(directives)) {
      if (isOfAll) control = ''
    } else if (isOfAll ? SHARED.test(directives) : given !== '0') {
      return undefined
    } else if (isOfAll) {
      // Caches would read a word behind an open quote as part of the quoted text.
      control = given.includes('"') ? `private, ${given}` : `${given}, private`
    }
  }
  return control
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
