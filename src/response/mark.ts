import { detectPlatform } from '../environment.ts'
import type { Decision } from '../limiter/decision.ts'
import { privateControl } from './cache-control.ts'
import { changeHeaders } from './change-headers.ts'
import { exposeFields } from './expose-fields.ts'
import type { FieldWriters } from './field-writers.ts'

/**
 * Adds the decision's fields to a response, or to a copy if its headers are immutable. A response
 * that shared caches may keep gets no fields, since a cache would show one client's quota to
 * others. Every other response becomes `private`: caches may also keep a response without
 * `Cache-Control` (RFC 9111 §4.2.2).
 */
export function mark(response: Response, decision: Decision, fields: FieldWriters): Response {
  const { policies, policy } = decision
  if (policy === undefined || fields.length === 0) return response
  // In workerd reading all names costs as much as ten look-ups, on Node as much as one.
  const names = detectPlatform() === 'cloudflare' ? CLOUDFLARE_FIELDS : [...response.headers.keys()]
  const control = privateControl(response.headers, names)
  if (control === undefined) return response
  const isCors = names.includes(ALLOW_ORIGIN) && response.headers.has(ALLOW_ORIGIN)
  return changeHeaders(response, (headers) => {
    for (const field of fields) field.write(headers, policies, policy)
    if (control) headers.set('Cache-Control', control)
    if (isCors) exposeFields(headers, fields)
  })
}

/** CORS responses have this field. */
const ALLOW_ORIGIN = 'access-control-allow-origin'

/** The cache fields that Cloudflare obeys: a Worker has no other cache in front of it. */
const CLOUDFLARE_FIELDS = [
  'cache-control',
  'cdn-cache-control',
  'cloudflare-cdn-cache-control',
  ALLOW_ORIGIN,
]
