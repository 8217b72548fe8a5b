import { detectPlatform } from '../environment.ts'
import { methodOverrides } from './method.ts'

/** Fields of bodies and of credentials. A preflight has neither. */
const NOT_IN_PREFLIGHT = /^(?:content(?!-length: 0$)|transfer|cookie|authorization)/

/**
 * Whether an OPTIONS request is a preflight of CORS exactly as browsers send it: without body,
 * credentials or a method override. Strict, since a preflight is not counted and anybody can send
 * one. https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function isPreflight(request: Request): boolean {
  const { headers } = request
  if (!headers.get('origin')) return false
  if (!headers.get('access-control-request-method')?.match(/^[\w-]+$/)) return false
  if ([...headers].some((field) => NOT_IN_PREFLIGHT.test(field.join(': ')))) return false
  // In HTTP/2 a request can have a body without a field for it. Checked on Cloudflare only, since
  // @hono/node-server and Next.js on Node give every `OPTIONS` request a body.
  if (detectPlatform() === 'cloudflare' && request.body) return false
  return methodOverrides(request).length === 0
}
