import { detectPlatform } from '../environment.ts'
import type { Decision } from '../limiter/decision.ts'
import type { FieldWriters } from './field-writers.ts'

/**
 * Adds the decision's fields to a response, or to a copy if its headers are immutable. A response
 * that shared caches may keep gets no fields, since a cache would show one client's quota to
 * others. Every other response becomes `private`: caches may also keep a response without
 * `Cache-Control` (RFC 9111 §4.2.2).
 */
export function mark(response: Response, decision: Decision, fields: FieldWriters): Response {
  if (decision.policy === undefined || fields.length === 0) return response
  // In workerd reading all names costs as much as ten look-ups, on Node as much as one.
  const names = detectPlatform() === 'cloudflare' ? CLOUDFLARE_FIELDS : [...response.headers.keys()]
  const control = privateControl(response.headers, names)
  if (control === undefined) return response
  const isCors = names.includes(ALLOW_ORIGIN) && response.headers.has(ALLOW_ORIGIN)
  try {
    writeFields(response.headers, decision, fields, isCors, control)
    return response
  } catch {
    // The headers of responses from `fetch` and `Response.redirect` are immutable. An upgrade (101), a
    // network error (0) and a response whose body has been read cannot be copied.
    const { status, bodyUsed, body } = response
    if (status < 200 || bodyUsed || body?.locked) return response
    const copy = new Response(body, response)
    writeFields(copy.headers, decision, fields, isCors, control)
    return copy
  }
}

/**
 * `Cache-Control`, and the fields that override it for one kind of cache: those of RFC 9213, Akamai's
 * `Edge-Control`, nginx's `X-Accel-Expires`.
 */
const CACHE_FIELD = /(?:surrogate|edge|cache)-control$|^x-accel-expires$/

/** CORS responses have this field. */
const ALLOW_ORIGIN = 'access-control-allow-origin'

/** The cache fields that Cloudflare obeys: a Worker has no other cache in front of it. */
const CLOUDFLARE_FIELDS = [
  'cache-control',
  'cdn-cache-control',
  'cloudflare-cdn-cache-control',
  ALLOW_ORIGIN,
]

/** Blanks and quoted texts, including a quoted text without an end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?|\s/g

/**
 * Directives that keep a response out of shared caches, and directives that allow it there (RFC 9111
 * §5.2.2). `private="a"` keeps only the field `a` out. With `must-understand`, caches may ignore
 * `no-store`.
 */
const NOT_SHARED = /,private,|^(?!.*must-understand).*,no-store,/i
const SHARED = /,(?:public|s-maxage)[,=]|,private=/i

/**
 * Returns the `Cache-Control` that keeps a response out of shared caches; '' if the response has such
 * a field already, `undefined` if it asks shared caches to keep it.
 */
function privateControl(headers: Headers, names: readonly string[]): string | undefined {
  let control = 'private'
  for (const name of names) {
    const given = CACHE_FIELD.test(name) && headers.get(name)
    if (typeof given !== 'string') continue
    const directives = `,${given.replace(QUOTED, '')},`
    const isCacheControl = name === 'cache-control'
    if (NOT_SHARED.test(directives)) {
      if (isCacheControl) control = ''
    } else if (isCacheControl ? SHARED.test(directives) : given !== '0') {
      return undefined
    } else if (isCacheControl) {
      // Caches would read a word behind an open quote as part of the quoted text.
      control = given.includes('"') ? `private, ${given}` : `${given}, private`
    }
  }
  return control
}

/** Writes the fields of the policies that counted the request. Without such a policy, writes none. */
export function writeFields(
  headers: Headers,
  { policies, policy }: Decision,
  fields: FieldWriters,
  isCors = false,
  cacheControl = '',
): void {
  if (policy === undefined) return
  for (const field of fields) field.write(headers, policies, policy)
  if (cacheControl) headers.set('Cache-Control', cacheControl)
  if (isCors) exposeFields(headers, fields)
}

/** Lets scripts of another origin read the fields (https://fetch.spec.whatwg.org/#cors-protocol). */
export function exposeFields(
  headers: Headers,
  fields: FieldWriters,
  ...more: readonly string[]
): void {
  const exposed = `${headers.get('Access-Control-Expose-Headers')}`.toLowerCase().split(/[\s,]+/)
  for (const name of [...fields.flatMap(({ names }) => names), ...more]) {
    if (exposed.includes(name.toLowerCase())) continue
    headers.append('Access-Control-Expose-Headers', name)
  }
}
