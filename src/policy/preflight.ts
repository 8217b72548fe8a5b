import { detectPlatform } from '../environment.ts'
import { claimsOf } from './method.ts'

/** Fields of bodies and of credentials, of which a preflight has none. */
const OF_OTHERS = /^(?:content(?!-length: 0$)|transfer|cookie|authorization)/

/**
 * Whether a browser asks leave for a request of another origin. Anybody can send such a request
 * uncounted, so it must be what a browser sends: no body, no credentials, no other method in its
 * place. https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function isPreflight(request: Request): boolean {
  if (request.method !== 'OPTIONS') return false
  const { headers } = request
  if (!headers.get('origin')) return false
  if (!headers.get('access-control-request-method')?.match(/^[\w-]+$/)) return false
  if ([...headers].some((field) => OF_OTHERS.test(field.join(': ')))) return false
  // HTTP/2 needs no field for a body. On Node every `OPTIONS` has a body for @hono/node-server and
  // Next.js, which make it from the socket.
  if (detectPlatform() === 'cloudflare' && request.body) return false
  return claimsOf(request).length === 0
}
