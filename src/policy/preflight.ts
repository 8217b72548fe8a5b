import { detectPlatform } from '../environment.ts'
import { claimsOf } from './method.ts'

/** A method's name (RFC 9110 §5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

/** Fields of bodies and credentials. A preflight has neither. CGI and WSGI read `_` in a name as `-`. */
const OF_OTHERS = /^(?:content[^a-z\d].*|transfer[^a-z\d]encoding|cookie|authorization)$/

/**
 * Whether a browser asks leave for a request of another origin. Anybody can send such a request
 * uncounted, so it must be what a browser sends: no body, no credentials, no other method in its
 * place. https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function isPreflight(request: Request): boolean {
  if (request.method !== 'OPTIONS') return false
  const { headers } = request
  if (!headers.get('origin')) return false
  if (!TOKEN.test(headers.get('access-control-request-method') ?? '')) return false
  for (const name of headers.keys()) {
    const isEmpty = name === 'content-length' && headers.get(name) === '0'
    if (OF_OTHERS.test(name) && !isEmpty) return false
  }
  // HTTP/2 needs no field for a body. On Node every `OPTIONS` has one for @hono/node-server and
  // Next.js, which make it from the socket.
  if (detectPlatform() === 'cloudflare' && request.body !== null) return false
  return claimsOf(request).length === 0
}
